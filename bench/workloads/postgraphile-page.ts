/** W2 as PostGraphile is asked it: by the names that it gives the tables, and its answer mapped back to the others' form. */
import type { Question } from '../same-bodies.ts';
import type { Dialect } from './compare.ts';

const PAGE = `query UsagePage($first: Int!, $after: Cursor) {
  allOrganizations(first: $first, after: $after) {
    nodes {
      rowId name slug status country mongoDatabase schemaVersion createdAt updatedAt limits
      usageByOrgId { agentCount contactCount messagesThisMonth activeIntegrations usageMonth updatedAt }
    }
    pageInfo { endCursor hasNextPage }
  }
}`;

type Row = Record<string, unknown>;

interface Answer {
  data: { allOrganizations: { nodes: Row[]; pageInfo: { endCursor: string; hasNextPage: boolean } } };
}

/** An id as PostGraphile writes it in a cursor, behind a digest of the order. */
const idIn = (cursor: string) => JSON.parse(Buffer.from(cursor, 'base64').toString())[1] as string;

/** @param url of a running PostGraphile, which is asked for a cursor to learn the digest of its order from. */
export async function postgraphileDialect(url: string, headers: Record<string, string>): Promise<Dialect> {
  const first = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ query: PAGE, variables: { first: 1 } }),
  });
  const { data } = (await first.json()) as Answer;
  const [order] = JSON.parse(Buffer.from(data.allOrganizations.pageInfo.endCursor, 'base64').toString());
  return {
    question(original: Question) {
      const { variables } = original.body as { variables: { first: number; after: string } };
      const after = Buffer.from(JSON.stringify([order, variables.after])).toString('base64');
      return { ...original, body: { query: PAGE, variables: { ...variables, after } } };
    },
    pick: mapped,
  };
}

/** The data in the form of the others: what is compared is that the same was read. */
function mapped(body: string): string {
  const { nodes, pageInfo } = (JSON.parse(body) as Answer).data.allOrganizations;
  const tenants = {
    nodes: nodes.map(({ rowId, status, createdAt, updatedAt, limits, usageByOrgId, ...row }) => {
      const usage = usageByOrgId as Row;
      const { maxAgents = null, maxContacts = null, maxMessagesMonth = null } = limits as Row;
      return {
        id: rowId,
        name: row.name,
        slug: row.slug,
        status: String(status).toUpperCase(),
        country: row.country,
        mongoDatabase: row.mongoDatabase,
        schemaVersion: row.schemaVersion,
        createdAt: instant(createdAt),
        updatedAt: instant(updatedAt),
        limits: { maxAgents, maxContacts, maxMessagesMonth },
        usage: { ...usage, updatedAt: instant(usage.updatedAt) },
      };
    }),
    pageInfo: { ...pageInfo, endCursor: idIn(pageInfo.endCursor) },
  };
  return JSON.stringify({ data: { tenants } });
}

const instant = (text: unknown) => new Date(String(text)).toISOString();
