/** Loaded into a server whose memory is looked at: on SIGUSR2 it collects its garbage. */
import { collectGarbage } from '../chaos/garbage.ts';

process.on('SIGUSR2', () => collectGarbage());
