/** The first super admin of every gateway that a test or a bench starts. Apart from app.ts: plain Node cannot load decorators. */
export const SUPER_ADMIN = { email: 'root@platform.test', password: 'correct horse battery' };
