/** That nothing is lost by what is asked for, how often, and when: `npm run chaos`, in short. */
import { expect, test } from '@jest/globals';
import { experiments } from '../chaos/experiments/index.ts';
import { FAULTS, REQUESTS, tryInShort } from './support/short-trials.ts';

test('each experiment has a short form', () => {
  expect(Object.keys({ ...FAULTS, ...REQUESTS }).toSorted()).toEqual(experiments.map(({ name }) => name).toSorted());
});

tryInShort(REQUESTS);
