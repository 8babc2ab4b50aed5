/** W1, W2, W3: tenants by id and by the page, over both surfaces. */
import type { ServerName } from '../fleet.ts';
import { installPeers } from '../install-peers.ts';
import { type Comparison, compare, oneOf, signedIn } from './compare.ts';
import { postgraphileDialect } from './postgraphile-page.ts';
import type { Workload } from './workload.ts';

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

export const W1: Workload = {
  name: 'W1',
  title: 'REST: one tenant by id',
  tenants: 10_000,
  run(bench) {
    const { tenantIds } = bench.platform;
    const headers = signedIn(bench);
    return compare(bench, 'W1', {
      servers: ['gateway', 'ceiling', 'plain'],
      question: () => ({ method: 'GET', path: `/api/super-admin/tenants/${oneOf(tenantIds)}`, headers }),
      goals: { ceiling: 1, plain: 8 },
    });
  },
};

export const W2: Workload = {
  name: 'W2',
  title: 'GraphQL: a page of 100 tenants with usage',
  tenants: 10_000,
  async run(bench) {
    const starts = bench.platform.tenantIds.slice(0, -PAGE);
    const headers = signedIn(bench);
    const servers: ServerName[] = ['gateway', 'ceiling', 'plain'];
    const others: Comparison['others'] = {};
    const notes: string[] = [];
    const missing = await installPeers(bench.say);
    if (missing) notes.push(`PostGraphile, mercurius and Yoga are left out: ${missing}`);
    else {
      servers.push('postgraphile', 'mercurius', 'yoga');
      const { url } = await bench.fleet.server('postgraphile');
      others.postgraphile = await postgraphileDialect(url, headers);
    }
    const outcome = await compare(bench, 'W2', {
      servers,
      question: () => ({
        method: 'POST',
        path: '/graphql',
        headers,
        body: { query: USAGE_PAGE, variables: { first: PAGE, after: oneOf(starts) } },
      }),
      others,
      goals: { ceiling: 0.9, ...(!missing && { postgraphile: 2.5 }) },
    });
    return { ...outcome, notes: [...notes, ...outcome.notes] };
  },
};

export const W3: Workload = {
  name: 'W3',
  title: 'REST: a page of 100 tenants with usage',
  tenants: 10_000,
  run(bench) {
    const starts = bench.platform.tenantIds.slice(0, -PAGE);
    const headers = signedIn(bench);
    return compare(bench, 'W3', {
      servers: ['gateway', 'ceiling', 'plain'],
      question: () => ({
        method: 'GET',
        path: `/api/super-admin/usage?limit=${PAGE}&after=${oneOf(starts)}`,
        headers,
      }),
      goals: { ceiling: 0.9, plain: 8 },
    });
  },
};
