/** That nothing is lost when a gateway or PostgreSQL dies or stands still: `npm run chaos`, in short. */
import { FAULTS, tryInShort } from './support/short-trials.ts';

tryInShort(FAULTS);
