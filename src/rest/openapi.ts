export const openApi = () => ({ openapi: '3.1.0' });
