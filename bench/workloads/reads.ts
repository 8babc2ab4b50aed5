/** W1, W2, W3: tenants by id and by the page, over both surfaces. */

import type { ServerName } from '../fleet.ts';
import { request } from '../load/load.ts';
import { sideBySide } from '../rounds.ts';
import { type Question, sameBodies } from '../same-bodies.ts';
import type { Bench, Finding, Measured, Workload } from './workload.ts';

/** Different requests that are in turn; and those whose answers are compared first. */
const REQUESTS = 4000;
const COMPARED = 40;
const PAGE = 100;

export const USAGE_PAGE = `query UsagePage($first: Int!, $after: String) {
  tenants(first: $first, after: $after) {
    nodes {
      id name slug status country mongoDatabase schemaVersion createdAt updatedAt
      limits { maxAgents maxContacts maxMessagesMonth }
      usage { agentCount contactCount messagesThisMonth activeIntegrations usageMonth updatedAt }
    }
    pageInfo { endCursor hasNextPage }
  }
}`;

const oneOf = <T>(values: T[]): T => values[Math.floor(Math.random() * values.length)]!;
const random = (make: () => Question) => Array.from({ length: REQUESTS }, make);

async function compare(
  bench: Bench,
  workload: string,
  servers: ServerName[],
  questions: Question[],
  goals: Partial<Record<ServerName, number>>,
): Promise<{ servers: Record<string, Measured>; findings: Finding[] }> {
  await sameBodies(bench, servers, questions.slice(0, COMPARED));
  const requests = questions.map(({ method, path, headers, body }) => request(method, path, headers, body));
  const measured = await sideBySide(bench, { workload, servers, requests });
  const findings = Object.entries(goals).map(([name, value]) => ({
    what: `to ${name}`,
    value: measured[name]!.ratio,
    goal: { at: 'least' as const, value },
  }));
  return { servers: measured, findings };
}

const signedIn = ({ platform }: Bench) => ({ authorization: `Bearer ${platform.admin.token}` });

export const W1: Workload = {
  name: 'W1',
  title: 'REST: one tenant by id',
  tenants: 10_000,
  run(bench) {
    const { tenantIds } = bench.platform;
    const questions = random(() => ({
      method: 'GET',
      path: `/api/super-admin/tenants/${oneOf(tenantIds)}`,
      headers: signedIn(bench),
    }));
    return compare(bench, 'W1', ['gateway', 'ceiling', 'plain'], questions, { ceiling: 1, plain: 8 });
  },
};

export const W2: Workload = {
  name: 'W2',
  title: 'GraphQL: a page of 100 tenants with usage',
  tenants: 10_000,
  run(bench) {
    const starts = bench.platform.tenantIds.slice(0, -PAGE);
    const questions = random(() => ({
      method: 'POST',
      path: '/graphql',
      headers: signedIn(bench),
      body: { query: USAGE_PAGE, variables: { first: PAGE, after: oneOf(starts) } },
    }));
    return compare(bench, 'W2', ['gateway', 'ceiling', 'plain'], questions, { ceiling: 0.9 });
  },
};

export const W3: Workload = {
  name: 'W3',
  title: 'REST: a page of 100 tenants with usage',
  tenants: 10_000,
  run(bench) {
    const starts = bench.platform.tenantIds.slice(0, -PAGE);
    const questions = random(() => ({
      method: 'GET',
      path: `/api/super-admin/usage?limit=${PAGE}&after=${oneOf(starts)}`,
      headers: signedIn(bench),
    }));
    return compare(bench, 'W3', ['gateway', 'ceiling', 'plain'], questions, { ceiling: 0.9, plain: 8 });
  },
};
