import { MongoClient } from 'mongodb';
import { type Probe, untilAborted, withDeadline } from './probe.ts';
import { STORE_DEADLINE_MS, type TenantStore } from './tenant-store.ts';

const COLLECTIONS = ['conversations', 'messages', 'events'];

/** MongoDB at `url`: probed with `ping`, one database per tenant. */
export function mongodbComponent(url: string): { probe: Probe; store: TenantStore } {
  let opened: MongoClient | undefined;
  /** Where the first connection failed, only `connect` tries again; afterwards the client reconnects by itself. */
  const connected = async () => {
    // Below the two seconds that a probe may take, so that the answer says what is wrong and not just that nothing came.
    opened ??= new MongoClient(url, { serverSelectionTimeoutMS: 1_500, connectTimeoutMS: 1_500 });
    return opened.connect();
  };
  const close = async () => {
    await opened?.close();
  };

  return {
    probe: {
      async check(signal) {
        const client = await untilAborted(connected(), signal);
        await client.db('admin').command({ ping: 1 }, { signal });
      },
      close,
    },
    store: {
      label: 'document database',
      async create({ mongoDatabase }) {
        await withDeadline(STORE_DEADLINE_MS, async () => {
          const database = (await connected()).db(mongoDatabase);
          // Creating an index makes its collection, and the first collection makes the database.
          await Promise.all(COLLECTIONS.map((name) => database.createIndex(name, { created_at: 1 })));
        });
      },
      async drop({ mongoDatabase }) {
        await withDeadline(STORE_DEADLINE_MS, async () => (await connected()).db(mongoDatabase).dropDatabase());
      },
      close,
    },
  };
}
