import { W5 } from './broadcast.ts';
import { W9 } from './cold-start.ts';
import { W8 } from './long-list.ts';
import { W6 } from './noisy-neighbour.ts';
import { W7 } from './provisioning.ts';
import { W1, W2, W3 } from './reads.ts';
import { W4 } from './working-hours.ts';
import type { Workload } from './workload.ts';
import { W10 } from './writes.ts';

export const workloads: Workload[] = [W1, W2, W3, W4, W5, W6, W7, W8, W9, W10];
