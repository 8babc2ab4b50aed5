/** Whether each tenant has a bucket in the object store, and nobody else has one. */
import { Client } from 'minio';

/** @param tenants all that there are. @returns a sentence for each that is missing, or is nobody's. */
export async function strayBuckets(url: string, tenants: { id: string; slug: string; status: string }[]) {
  const { hostname, port, username, password } = new URL(url);
  const client = new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    accessKey: username,
    secretKey: password,
  });
  const there = new Set((await client.listBuckets()).map(({ name }) => name));
  const owners = new Map(tenants.map((tenant) => [`t-${tenant.id.replaceAll('-', '')}`, tenant]));
  return [
    ...[...owners]
      .filter(([name, { status }]) => status !== 'provisioning' && !there.has(name))
      .map(([, { slug }]) => `tenant ${slug} has no bucket`),
    ...[...there].filter((name) => !owners.has(name)).map((name) => `bucket ${name} is nobody's`),
  ];
}
