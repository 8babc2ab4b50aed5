import { W1, W2, W3 } from './reads.ts';
import type { Workload } from './workload.ts';

export const workloads: Workload[] = [W1, W2, W3];
