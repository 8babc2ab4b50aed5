/**
 * Installs the programs some tests run against. Where that is not possible (no root, no apt-get, no network), those
 * tests skip themselves, so this never fails. Runs before the tests: plain Node 20, no dependencies.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Program → Debian package and the tests that use it. */
const TOOLS = {
  'redis-server': { package: 'redis-server', tests: 'Redis' },
  kcat: { package: 'kcat', tests: 'Kafka' },
  chromium: { package: 'chromium', tests: 'the console in a browser' },
  promtool: { package: 'prometheus', tests: 'alert rules' },
  pgbouncer: { package: 'pgbouncer', tests: 'PgBouncer' },
  haproxy: { package: 'haproxy', tests: 'the load balancer' },
};
/** Milliseconds for one run of apt-get; without a network it would try for minutes. */
const APT_TIMEOUT = 300_000;

const isThere = (program) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
const missingTools = () => Object.keys(TOOLS).filter((program) => !isThere(program));
const say = (sentence) => process.stdout.write(`test tools: ${sentence}\n`);

function aptGet(...args) {
  const run = spawnSync('apt-get', ['-q', '-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20', ...args], {
    stdio: 'ignore',
    timeout: APT_TIMEOUT,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return run.status === 0;
}

const missing = missingTools();
if (missing.length === 0) {
  say(`${Object.keys(TOOLS).join(', ')} are there`);
} else {
  const mayInstall = process.getuid?.() === 0 && isThere('apt-get');
  if (mayInstall) {
    // A stale or partly failing list may still be good enough.
    aptGet('update');
    aptGet('install', '-y', '--no-install-recommends', ...missing.map((program) => TOOLS[program].package));
  }
  const absent = missingTools();
  if (absent.length === 0) {
    say(`installed ${missing.join(', ')}`);
  } else {
    const why = mayInstall ? 'apt-get could not install them' : 'installing them takes root and apt-get';
    const tests = absent.map((program) => TOOLS[program].tests).join(' and ');
    say(`no ${absent.join(', no ')} (${why}): the tests against ${tests} will be skipped`);
  }
}
