/**
 * `npm run tenants -- move ...`: moves a tenant to another database server, and shows how it goes. The work is done by the gateways
 * that run; the command may be ended and started again. Exit code 0 when the move came to its end, 1 when it did not, 2 when
 * nothing could be asked for, 130 when the command was stopped.
 */
import { parseArgs } from 'node:util';
import { confirmed, interruptible, refusalsTold, say, withInstallation } from '../command-line.ts';
import { ConfigError, readConfig } from '../config.ts';
import { Queue } from '../db/queue.ts';
import { bySystem } from '../domain/audit.ts';
import { type Asker, abandonMove, endMove, moveTenant } from '../domain/move/requests.ts';
import { MoveState } from '../entities/control/tenant-move.ts';
import { type ControlPlane, withControlPlane } from '../with-control-plane.ts';
import { findTenant } from './find-tenant.ts';
import { followMove, tellOfEnd } from './move-progress.ts';

const USAGE = `Use: npm run tenants -- move <slug or id> <name of a server> [--max-read-only <seconds>] [--finish]
     npm run tenants -- move <slug or id> [--undo | --cancel | --finish]   (with none: shows how it goes)
     npm run tenants -- move <slug or id> --abandon --reason <why> [--yes]   ends it without a server that does not answer`;

interface Wanted {
  /** Slug or id. */
  tenant: string;
  verb:
    | 'watch'
    | keyof typeof ENDS
    | { to: string; seconds?: number; finish: boolean }
    | { reason: string; isSure: boolean };
}

/** @throws {ConfigError} when the command line cannot be used. */
function readArguments(args: string[]): Wanted {
  try {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        'max-read-only': { type: 'string' },
        undo: { type: 'boolean' },
        cancel: { type: 'boolean' },
        finish: { type: 'boolean' },
        abandon: { type: 'boolean' },
        reason: { type: 'string' },
        yes: { type: 'boolean' },
      },
    });
    const [tenant, server, ...more] = positionals;
    const { undo, cancel, finish = false, abandon, reason = '', yes = false, 'max-read-only': seconds } = values;
    if (!tenant || more.length > 0) throw new Error('One tenant, and one server at most.');
    if ((server && (undo || cancel || abandon)) || [undo, cancel, finish, abandon].filter(Boolean).length > 1) {
      throw new Error('One thing at a time.');
    }
    if (
      seconds !== undefined &&
      !(server && /^\d{1,3}$/.test(seconds) && Number(seconds) >= 2 && Number(seconds) <= 300)
    ) {
      throw new Error('--max-read-only is a number of seconds from 2 to 300, for a move to a server.');
    }
    if (!!abandon !== (reason.trim() !== '') || (yes && !abandon)) {
      throw new Error('--abandon needs a --reason, and --reason and --yes are for it alone.');
    }
    if (abandon) return { tenant, verb: { reason: reason.trim(), isSure: yes } };
    if (server) return { tenant, verb: { to: server, seconds: seconds ? Number(seconds) : undefined, finish } };
    return { tenant, verb: undo ? 'undo' : cancel ? 'cancel' : finish ? 'finish' : 'watch' };
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${USAGE}`);
  }
}

const ENDS = { undo: MoveState.UNDOING, cancel: MoveState.CANCELLING, finish: MoveState.FINISHING } as const;
/** Where the move is to come to by a command. */
const REACHED = { undo: MoveState.UNDONE, cancel: MoveState.CANCELLED, finish: MoveState.FINISHED } as const;

const ABANDON = (slug: string) =>
  `End the move of ${slug} without the server that does not answer? ${slug} stays on the server that it is on; what the move has on the ` +
  'other one is left there. This cannot be undone.';

/** @returns the exit code. */
export async function run(args: string[]): Promise<number> {
  const wanted = readArguments(args);
  return interruptible((signal) =>
    withInstallation(readConfig(process.env), (found) =>
      withControlPlane(found, 4, async (open) => {
        const queue = new Queue(found.databaseUrl, open.log, false);
        try {
          await queue.start();
          return await move({ ...open, queue }, wanted, signal);
        } finally {
          await queue.stop(1000);
        }
      }),
    ),
  );
}

async function move(
  { control, servers, queue }: ControlPlane & { queue: Queue },
  { tenant, verb }: Wanted,
  signal: AbortSignal,
): Promise<number> {
  const org = await findTenant(control, tenant);
  const asker = (): Asker => ({ ...bySystem, em: control.orm.em.fork(), services: { servers, queue } });
  const end = (state: (typeof ENDS)[keyof typeof ENDS]) => refusalsTold(() => endMove(asker(), org.id, state));
  if (typeof verb === 'object' && 'reason' in verb) {
    if (!verb.isSure && !(await confirmed(ABANDON(org.slug), signal))) {
      say('Nothing has been changed.');
      return 1;
    }
    await refusalsTold(() => abandonMove(asker(), org.id, org.slug, verb.reason));
  } else if (typeof verb === 'object') {
    const serverId = servers.all().find(({ name }) => name.toLowerCase() === verb.to.toLowerCase())?.id;
    if (!serverId) throw new ConfigError(`There is no database server ${verb.to}.`);
    await refusalsTold(() => moveTenant(asker(), { tenantId: org.id, serverId, maxReadOnlySeconds: verb.seconds }));
  } else if (verb !== 'watch') await end(ENDS[verb]);
  let ended = await followMove(control.pool, org, signal);
  if (typeof verb === 'object' && 'to' in verb && verb.finish && ended.state === MoveState.SWITCHED) {
    await end(MoveState.FINISHING);
    ended = await followMove(control.pool, org, signal);
  }
  tellOfEnd(org.slug, ended);
  const wished = typeof verb === 'string' && verb !== 'watch' ? REACHED[verb] : ended.state;
  return ended.state === wished && ended.state !== MoveState.FAILED ? 0 : 1;
}
