import type { FastifyInstance } from 'fastify';

/** Listens on a free port and says so, as bench/servers.ts waits for it. */
export async function serve(app: FastifyInstance): Promise<void> {
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  console.log(`listening on ${new URL(address).port}`);
}

/** A whole number from 1 to `most`; undefined for anything else. */
export function numberFrom(given: unknown, most: number): number | undefined {
  const value = Number(given);
  return Number.isInteger(value) && value >= 1 && value <= most ? value : undefined;
}
