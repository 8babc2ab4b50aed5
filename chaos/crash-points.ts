/**
 * Loaded into a gateway before anything of it: holds provisioning runs before or after a step, so that its process can be
 * killed or frozen exactly there. Production loads no such thing and has no place for it; steps are wrapped from outside.
 *
 * Steps that have work outside of the control database are held once they are committed as running and before that work, and
 * after that work and before it is recorded. The others are part of a transaction: they are held in it, before and after what they
 * write. The last step is held after its commit, when its job has still to be said done.
 *
 * `HOLD_AT` is a list of points, `before create_database;after activate`: the first tenant that comes is held at the first,
 * the next one at the second; once only, and until SIGUSR2. What is held is said on standard output, and when its worker has done with it.
 */
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

type Outside = () => Promise<unknown>;

interface Step {
  name: string;
  begin(em: unknown, context: { orgId: string }): Promise<Outside | undefined>;
}

interface Job {
  data: { orgId?: string };
}

interface Works {
  work(name: string, concurrency: number, handle: (job: Job) => Promise<void>): Promise<void>;
}

/** Steps that need nothing but the control database. */
const WITHIN = ['reserve_names', 'activate'];
const LAST = 'activate';

const points = (process.env.HOLD_AT ?? '').split(';');
/** By tenant; the empty text once it was held. */
const pointOf = new Map<string, string>();
const { promise: released, resolve: release } = Promise.withResolvers<void>();
process.once('SIGUSR2', () => release());

async function hold(orgId: string, point: string): Promise<void> {
  if (pointOf.get(orgId) !== point) return;
  pointOf.set(orgId, '');
  process.stdout.write(`held ${point} for ${orgId}\n`);
  await released;
}

const build = dirname(process.argv[1]!);
const { Queue } = (await import(pathToFileURL(join(build, 'db', 'queue.js')).href)) as { Queue: { prototype: Works } };
const { work } = Queue.prototype;
Queue.prototype.work = function (this: object, name, concurrency, handle) {
  return work.call(this, name, concurrency, async (job) => {
    const { orgId } = job.data;
    try {
      await handle(job);
      if (orgId) await hold(orgId, `after ${LAST}`);
    } finally {
      if (orgId && pointOf.get(orgId) === '') process.stdout.write(`over for ${orgId}\n`);
    }
  });
};

const { PROVISIONING_STEPS } = (await import(pathToFileURL(join(build, 'domain', 'provisioning-steps.js')).href)) as {
  PROVISIONING_STEPS: Step[];
};
for (const step of PROVISIONING_STEPS) {
  const { name } = step;
  const begin = step.begin.bind(step);
  step.begin = async (em, context) => {
    const { orgId } = context;
    if (!pointOf.has(orgId)) pointOf.set(orgId, points[pointOf.size] ?? '');
    const before = () => hold(orgId, `before ${name}`);
    const after = () => hold(orgId, `after ${name}`);
    if (WITHIN.includes(name)) {
      await before();
      await begin(em, context);
      if (name !== LAST) await after();
      return undefined;
    }
    const outside = await begin(em, context);
    if (!outside) throw new Error(`${name} is to be held outside of a transaction, and has nothing to do there`);
    return async () => {
      await before();
      const result = await outside();
      await after();
      return result;
    };
  };
}
