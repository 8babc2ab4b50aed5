import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serverAudits } from 'graphql-http';
import { startApp, type TestApp } from './support/app.ts';

let app: TestApp;
beforeAll(async () => {
  // Two of the audit's MUSTs ask for the schema.
  app = await startApp({ PLAYGROUND: 'true' });
});
afterAll(() => app?.stop());

/** Not as the specification recommends, for the reason that docs/security.md gives. */
const DEVIATIONS: Record<string, string> = {
  '572B': 'SHOULD use 200 status code on document parsing failure when accepting application/json',
  FDE2: 'SHOULD use 200 status code on document validation failure when accepting application/json',
  '7B9B': 'SHOULD use a status code of 200 on variable coercion failure when accepting application/json',
};

describe('GraphQL over HTTP, by the audit of its specification', () => {
  const audits = serverAudits({
    url: () => `${app.url}/graphql`,
    // As every client of ours that asks by GET has to: see "Limits of a GraphQL operation" in docs/api.md.
    fetchFn: (url: string, init?: RequestInit) =>
      fetch(url, { ...init, headers: { ...init?.headers, 'apollo-require-preflight': '1' } }),
  });

  test('the audit asks about as much as it did when the deviations were looked into', () => {
    expect(audits.length).toBeGreaterThanOrEqual(60);
    for (const [id, name] of Object.entries(DEVIATIONS)) {
      expect(audits.find((audit) => audit.id === id)?.name).toBe(name);
    }
  });

  test.each(audits.map((audit): [string, (typeof audits)[number]] => [audit.name, audit]))('%s', async (_, audit) => {
    const { status } = await audit.fn();
    expect(status).toBe(audit.id in DEVIATIONS ? 'warn' : 'ok');
  });

  test('each deviation is explained', async () => {
    const page = await readFile('docs/security.md', 'utf8');
    for (const id of Object.keys(DEVIATIONS)) expect(page).toContain(id);
  });
});
