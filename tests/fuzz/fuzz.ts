/** The whole of a fuzz run against one gateway. */
import { readFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import type { OpenApi } from '../../src/rest/openapi/types.ts';
import { ApiDescription } from '../support/api-description.ts';
import { permissionTable } from '../support/permission-table.ts';
import { Campaign, type CampaignOptions } from './campaign.ts';
import { Databases } from './fingerprint.ts';
import { graphqlOperations } from './graphql-requests.ts';
import type { Finding, Operation, Target } from './model.ts';
import type { Tally } from './report.ts';
import { restOperations } from './rest-requests.ts';
import { subjectOf } from './subjects.ts';
import { World } from './world.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

export const committedDescription = (): OpenApi => JSON.parse(read('docs/openapi.json'));

/** What each operation demands, by its key in fuzz runs. */
function demands(): Map<string, string> {
  return new Map(
    permissionTable().flatMap(({ kind, name, routes, demands }) =>
      [`${kind} ${name}`, ...routes].map((key) => [key, demands] as const),
    ),
  );
}

const needsPlatform = ({ key }: Operation) => subjectOf(key) >= 0 || /server|upgrade/i.test(key);

export interface FuzzOptions extends CampaignOptions {
  /** Operations whose key holds this text alone. */
  only?: string;
  /** Of the API description; the committed one otherwise. */
  document?: OpenApi;
  /** So many tenants at least. */
  tenants?: number;
}

export async function fuzz(
  target: Target,
  { only = '', document = committedDescription(), tenants = 10, ...options }: FuzzOptions,
): Promise<{ tally: Tally; findings: Finding[]; tenants: number }> {
  const schema = buildSchema(read('src/schema/schema.graphql'));
  const demanded = demands();
  const operations: Operation[] = [
    ...restOperations(document, demanded),
    ...graphqlOperations(schema, demanded),
  ].filter(({ key }) => key.toLowerCase().includes(only.toLowerCase()));
  if (operations.length === 0) throw new Error(`There is no operation whose name holds "${only}".`);
  const databases = new Databases(target.databaseUrl);
  try {
    const world = await World.make(target, databases, tenants, operations.some(needsPlatform));
    const promises = { description: new ApiDescription(document), schema, secrets: target.secrets };
    const campaign = new Campaign(target, world, databases, operations, promises);
    const result = await campaign.run(options);
    await world.end();
    return { ...result, tenants: world.tenantCount };
  } finally {
    await databases.close();
  }
}
