/** W4: whether a business is open, as chat widgets ask it: without a token, and again with the ETag that they have. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerName } from '../fleet.ts';
import { request } from '../load/load.ts';
import type { Server } from '../servers.ts';
import { compare, oneOf } from './compare.ts';
import type { Bench, Finding, Workload } from './workload.ts';

const MINUTE = 60_000;
/** What a turn takes besides measuring, at most. */
const TO_SPARE_MS = 4000;

export const W4: Workload = {
  name: 'W4',
  title: 'REST: working-hours status, public',
  tenants: 10_000,
  async run(bench) {
    const paths = bench.platform.tenants.map(({ slug }) => `/api/working-hours/status?tenant=${slug}`);
    const asked = {
      servers: ['gateway', 'ceiling'] as ServerName[],
      question: () => ({ method: 'GET', path: oneOf(paths), headers: {} }),
    };
    await untilMinuteHasRoom(bench);
    const fresh = await compare(bench, 'W4', { ...asked, goals: { ceiling: 0.9 } });
    const known = await compare(bench, 'W4 304', {
      ...asked,
      goals: { ceiling: 1 },
      status: 304,
      before: async (server) => {
        await untilMinuteHasRoom(bench);
        return await withEtags(server, paths);
      },
    });
    const ofKnown = known.findings.map((finding): Finding => ({ ...finding, what: `304 ${finding.what}` }));
    return {
      loads: [...fresh.loads, ...known.loads],
      findings: [...fresh.findings, ...ofKnown],
      notes: [...new Set([...fresh.notes, ...known.notes])],
    };
  },
};

/** The answers are of their minute, and so are their ETags. */
async function untilMinuteHasRoom({ settings }: Bench): Promise<void> {
  const left = MINUTE - (Date.now() % MINUTE);
  if (left < settings.seconds * 1000 + TO_SPARE_MS) await sleep(left + 50);
}

/** What one asks who has the answer already. */
async function withEtags(server: Server, paths: string[]): Promise<string[]> {
  const requests: string[] = [];
  for (const path of paths) {
    const response = await fetch(`${server.url}${path}`);
    await response.arrayBuffer();
    requests.push(request('GET', path, { 'if-none-match': response.headers.get('etag')! }));
  }
  return requests;
}
