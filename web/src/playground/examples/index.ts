/** All examples, in the order in which they are shown. */
import { COMPANY } from './company.ts';
import type { Example } from './example.ts';
import { HOURS } from './hours.ts';
import { LIVE } from './live.ts';
import { OPERATIONS } from './operations.ts';
import { START } from './start.ts';
import { TENANTS } from './tenants.ts';

export const EXAMPLES: readonly Example[] = [...START, ...TENANTS, ...LIVE, ...HOURS, ...COMPANY, ...OPERATIONS];
