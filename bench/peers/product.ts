/** The product's schema and contexts, for other GraphQL servers to run: what is read is the same, who runs it is not. */

import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import { readConfig } from '../../src/config.ts';
import { Context } from '../../src/context.ts';
import { credentialsFrom } from '../../src/credentials.ts';
import { createLog } from '../../src/log.ts';
import { buildGatewaySchema } from '../../src/schema/build-schema.ts';
import { openServices } from '../../src/services.ts';

export interface Product {
  schema: GraphQLSchema;
  context(headers: IncomingHttpHeaders): Promise<Context>;
}

export async function openProduct(): Promise<Product> {
  const { services } = await openServices({
    config: readConfig(process.env),
    databaseUrl: process.env.DATABASE_URL!,
    jwtSecret: process.env.JWT_SECRET!,
    log: createLog('warn'),
  });
  return {
    schema: await buildGatewaySchema(),
    context: async ({ authorization }) =>
      new Context(services, {
        requestId: randomUUID(),
        address: '127.0.0.1',
        ...(await credentialsFrom({ authorization }, services.apiKeys)),
      }),
  };
}
