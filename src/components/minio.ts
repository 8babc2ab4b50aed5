import http from 'node:http';
import https from 'node:https';
import { Client } from 'minio';
import type { ObjectStore } from './object-store.ts';
import { type Probe, withDeadline } from './probe.ts';
import { STORE_DEADLINE_MS, type TenantStore } from './tenant-store.ts';

/** Fits the names of tenants' buckets, for credentials that may see nothing else, and is none of them. */
const NOBODYS_BUCKET = `t-${'0'.repeat(32)}`;
/** What one S3 request removes at most. */
const REMOVED_AT_ONCE = 1_000;

/** An S3-compatible server, credentials in the URL: probed with an authenticated call, one bucket per tenant. */
export function minioComponent(url: string): { probe: Probe; store: TenantStore; objects: ObjectStore } {
  const { protocol, hostname, port, username, password } = new URL(url);
  const transport = protocol === 'https:' ? https : http;
  const agent = new transport.Agent({ keepAlive: true });

  /** A client is cheap; the connections are the agent's. One per operation takes the operation's signal to each request. */
  const clientFor = (signal: AbortSignal) =>
    new Client({
      endPoint: hostname.replace(/^\[|\]$/g, ''),
      port: port ? Number(port) : undefined,
      useSSL: protocol === 'https:',
      accessKey: decodeURIComponent(username),
      secretKey: decodeURIComponent(password),
      transportAgent: agent,
      transport: interruptible(transport, signal),
      // Retries are announced on the console.
      retryOptions: { disableRetry: true },
    });
  const close = async () => agent.destroy();

  return {
    probe: {
      async check(signal) {
        // Listing the buckets would do as well, but its answer grows with the tenants. Only an S3 server says NoSuchBucket.
        await clientFor(signal).listObjectsV2Query(NOBODYS_BUCKET, '', '', '', 1, '').catch(unless('NoSuchBucket'));
      },
      close,
    },
    store: {
      label: 'object store',
      create: ({ storeName }) => withDeadline(STORE_DEADLINE_MS, (signal) => makeBucket(clientFor(signal), storeName)),
      drop: ({ storeName }) => withDeadline(STORE_DEADLINE_MS, (signal) => dropBucket(clientFor(signal), storeName)),
      close,
    },
    objects: objectsOf(clientFor),
  };
}

function objectsOf(clientFor: (signal: AbortSignal) => Client): ObjectStore {
  return {
    async read(bucket, name, signal, range) {
      const client = clientFor(signal);
      try {
        const content = range
          ? await client.getPartialObject(bucket, name, range.start, range.end - range.start + 1)
          : await client.getObject(bucket, name);
        // What is told of it while it is sent: it may be another one by now than the list said.
        return { bytes: Number((content as http.IncomingMessage).headers['content-length']), content };
      } catch (error) {
        unless('NoSuchKey', 'NoSuchBucket')(error);
        return undefined;
      }
    },
    async *list(bucket, prefix, signal) {
      try {
        for await (const { name, size, lastModified } of clientFor(signal).listObjectsV2(bucket, prefix, true)) {
          if (name !== undefined) yield { name, bytes: size, modified: lastModified };
        }
      } catch (error) {
        unless('NoSuchBucket')(error);
      }
    },
    async write(bucket, name, file, signal) {
      const client = clientFor(signal);
      await makeBucket(client, bucket);
      await client.fPutObject(bucket, name, file);
    },
    async remove(bucket, name, signal) {
      await clientFor(signal).removeObject(bucket, name).catch(unless('NoSuchKey', 'NoSuchBucket'));
    },
  };
}

/** The transport of Node, with `signal` on each request. */
function interruptible(transport: typeof http | typeof https, signal: AbortSignal): Pick<typeof http, 'request'> {
  const request = (options: http.RequestOptions, answered: (response: http.IncomingMessage) => void) =>
    transport.request({ ...options, signal }, answered);
  return { request: request as typeof http.request };
}

async function makeBucket(client: Client, bucket: string) {
  if (await client.bucketExists(bucket)) return;
  await client.makeBucket(bucket).catch(unless('BucketAlreadyOwnedByYou'));
}

async function dropBucket(client: Client, bucket: string) {
  if (!(await client.bucketExists(bucket))) return;
  await emptyBucket(client, bucket);
  await client.removeBucket(bucket).catch(unless('NoSuchBucket'));
}

async function emptyBucket(client: Client, bucket: string) {
  let names: string[] = [];
  const remove = async () => {
    const [refused] = await client.removeObjects(bucket, names);
    if (refused?.Error) throw new Error('an object of the bucket cannot be removed', { cause: refused.Error });
    names = [];
  };
  for await (const { name } of client.listObjectsV2(bucket, '', true)) {
    if (names.push(name) === REMOVED_AT_ONCE) await remove();
  }
  if (names.length) await remove();
}

/** Takes an S3 error with one of these codes for a success: another attempt was there first, or it was never there. */
const unless =
  (...codes: string[]) =>
  (error: unknown) => {
    if (!codes.includes(Object(error).code)) throw error;
  };
