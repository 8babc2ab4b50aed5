/** Exports of tenants, from asking for one to what is in its file. */
import { gunzipSync } from 'node:zlib';
import { expect } from '@jest/globals';
import { type Actor, eventually, type Tenant } from './actors.ts';
import type { TestApp } from './app.ts';
import { serverUrl } from './database.ts';

export type Line = Record<string, unknown> & { type: string };

export const ofPlatform = ({ id }: Tenant) => `/api/super-admin/tenants/${id}/exports`;
export const databaseOf = (on: TestApp, { id }: Tenant) => serverUrl(on.services.servers.home.nameFor(id));

/** Asks for an export and waits until it is ready. @returns its address. */
export async function exported(by: Actor, path: string): Promise<string> {
  const { status, headers, body } = await by.rest('POST', path);
  expect([status, body.state]).toEqual([201, 'queued']);
  const address = `${path}/${body.id}`;
  expect(headers.get('location')).toBe(address);
  await eventually(
    () => by.rest('GET', address),
    (answer) => answer.body.state === 'ready',
    30_000,
  );
  return address;
}

export const fetched = (
  on: Pick<TestApp, 'url'>,
  by: Actor,
  address: string,
  headers: Record<string, string> = {},
  method = 'GET',
) => fetch(`${on.url}${address}/download`, { method, headers: { authorization: `Bearer ${by.token}`, ...headers } });

export const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
export const linesIn = (bytes: Buffer): Line[] =>
  gunzipSync(bytes)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
