import { Control0001Initial } from './0001-initial.ts';

/** In the order in which they are applied; never changed once released. */
export const controlMigrations = [Control0001Initial];
