/**
 * Makes a tenant and prints the making of its databases, also through an outage of the gateway:
 * `EMAIL=... PASSWORD=... node docs/examples/provisioning-timeline.ts http://127.0.0.1:4000 --slug kopi-kita`, or
 * `--follow <tenant id>` for one that is there. Explained in docs/subscriptions.md.
 */
import { parseArgs } from 'node:util';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { createClient } from 'graphql-ws';
import { ProvisionDocument, SignInDocument, TimelineDocument, type TimelineSubscription } from './documents.gen.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { slug: { type: 'string', default: 'example' }, follow: { type: 'string' } },
});
const url = positionals[0] ?? 'http://127.0.0.1:4000';
const { EMAIL: email = '', PASSWORD: password = '' } = process.env;

async function request<T, V>(document: TypedDocumentNode<T, V>, variables: V, token?: string): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const { data, errors } = (await response.json()) as { data: T; errors?: { message: string }[] };
  if (errors) throw new Error(errors[0]?.message);
  return data;
}

const { token } = (await request(SignInDocument, { email, password })).superAdminLogin;
const input = { name: values.slug, slug: values.slug };
const tenantId = values.follow ?? (await request(ProvisionDocument, { input }, token)).provisionTenant.id;

const client = createClient({
  url: `${url.replace(/^http/, 'ws')}/graphql`,
  connectionParams: { authorization: `Bearer ${token}` },
  retryAttempts: 20,
  // 4403 says that these credentials are no good: trying again would not make them better.
  shouldRetry: (lost) => (lost as CloseEvent).code !== 4403,
});
const variables: { tenantId: string; after?: number } = { tenantId };
const printed = new Set<string>();
const query = print(TimelineDocument);
for await (const { data, errors } of client.iterate<TimelineSubscription>({ query, variables })) {
  if (!data) throw new Error(errors?.[0]?.message);
  const { sequence, provisioning } = data.tenantProvisioning;
  // The client writes the request anew each time it comes back.
  variables.after = sequence;
  for (const { name, state, startedAt, finishedAt, error } of provisioning.steps) {
    const ms = startedAt && finishedAt ? `${Date.parse(finishedAt) - Date.parse(startedAt)} ms` : '';
    const line = [name.padEnd(16), state.padEnd(8), ms, error ?? ''].join(' ').trimEnd();
    if (state === 'PENDING' || printed.has(line)) continue;
    printed.add(line);
    console.log(line);
  }
  if (provisioning.state === 'SUCCEEDED') break;
}
await client.dispose();
