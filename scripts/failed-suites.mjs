// Prints the files of the suites that failed in a run of Jest (`--json --outputFile`), for `.ci/run` to look at once more.
// Ends with 1 where that would be no second look: nothing is known of the run, or more than a few suites failed.
import { readFileSync } from 'node:fs';

const MOST = 3;

// Empty after a run that was cut off.
const { testResults = [] } = JSON.parse(readFileSync(process.argv[2], 'utf8') || '{}');
const failed = testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
if (failed.length === 0 || failed.length > MOST) {
  console.error(
    `No second look: ${failed.length === 0 ? 'no suite failed, or the run did not come to its end' : `${failed.length} suites failed`}.`,
  );
  process.exit(1);
}
for (const file of failed) console.log(file);
