/**
 * `npm run servers`: the PostgreSQL servers that tenants' databases are on. `-- add`, `-- set`, `-- open`, `-- drain`, `-- close` and
 * `-- remove` change them; the gateways may run, and learn of it within a second. Exit code 0, or 2 when it could not.
 */
import 'reflect-metadata';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { refusalsTold, runCommand, say, withInstallation } from './command-line.ts';
import { describeFailure } from './components/describe-failure.ts';
import { ConfigError, readConfig } from './config.ts';
import type { DatabaseServers } from './db/database-servers.ts';
import { bySystem } from './domain/audit.ts';
import { type DatabaseServer, listDatabaseServers } from './domain/database-servers.ts';
import { type Registrar, registerServer, removeServer, updateServer } from './domain/server-registration.ts';
import { ServerState } from './entities/control/database-server.ts';
import { RegisterDatabaseServerInput, UpdateDatabaseServerInput } from './schema/server-inputs.ts';
import { withControlPlane } from './with-control-plane.ts';

const USAGE = `Use: npm run servers [-- list]
     npm run servers -- add <name> --url <postgresql://role:password@host:5432/postgres> --capacity <tenants>
                        [--region <region>] [--pooled-url <postgresql://host:6432>]
     npm run servers -- set <name> [--url <url>] [--capacity <tenants>] [--region <region>] [--pooled-url <url>] [--name <name>]
     npm run servers -- open | drain | close | remove <name>
--url - reads the address from standard input, where no other user of the machine sees its password; an empty --region or
--pooled-url takes it away.`;

const OPTIONS = {
  url: { type: 'string' },
  'pooled-url': { type: 'string' },
  region: { type: 'string' },
  capacity: { type: 'string' },
  name: { type: 'string' },
} as const;

type Options = { [K in keyof typeof OPTIONS]?: string };

const STATES: Record<string, ServerState> = {
  open: ServerState.OPEN,
  drain: ServerState.DRAINING,
  close: ServerState.CLOSED,
};
const WITH_OPTIONS = ['add', 'set'];

interface Wanted {
  verb: string;
  name?: string;
  options: Options;
}

/** @throws {ConfigError} when the command line cannot be used. */
function readArguments(): Wanted {
  try {
    const { positionals, values: options } = parseArgs({ options: OPTIONS, allowPositionals: true });
    const [verb = 'list', name, ...more] = positionals;
    const known = ['list', 'remove', ...WITH_OPTIONS, ...Object.keys(STATES)].includes(verb);
    const given = Object.keys(options).length;
    if (!known || more.length > 0 || (verb === 'list') !== (name === undefined)) throw new Error('That is no command.');
    if (given > 0 && !WITH_OPTIONS.includes(verb)) throw new Error(`${verb} takes no options.`);
    if (verb === 'set' && given === 0) throw new Error('set needs something to change.');
    return { verb, name, options };
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${USAGE}`);
  }
}

/** Holds what was given to the rules of the API. @throws {ConfigError} */
function checked<T>(rules: z.ZodType<T>, input: object): T {
  const parsed = rules.safeParse(input);
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.map(({ path, message }) => `${optionOf(String(path[0]))} ${message}`);
  throw new ConfigError(`${said.join('\n')}\n${USAGE}`);
}

const optionOf = (field: string) => (field === 'pooledUrl' ? '--pooled-url' : `--${field}`);

async function inputOf({ url, 'pooled-url': pooledUrl, region, capacity, name }: Options) {
  const orNothing = (text: string | undefined) => (text === '' ? null : text);
  return {
    ...(name !== undefined && { name }),
    ...(url !== undefined && { url: url === '-' ? await fromStandardInput() : url }),
    ...(pooledUrl !== undefined && { pooledUrl: orNothing(pooledUrl) }),
    ...(region !== undefined && { region: orNothing(region) }),
    ...(capacity !== undefined && { capacity: Number(capacity) }),
  };
}

async function fromStandardInput(): Promise<string> {
  const input = createInterface({ input: process.stdin });
  for await (const line of input) return line.trim();
  throw new ConfigError('There is no address on standard input.');
}

/** In the words of the options. */
const told = <T>(work: () => Promise<T>): Promise<T> =>
  refusalsTold(work, ({ message, details }) =>
    (details?.map((detail) => `${optionOf(detail.field)}: ${detail.message}`) ?? [message]).join('\n'),
  );

async function change(registrar: Registrar, { verb, name, options }: Wanted): Promise<void> {
  if (verb === 'add') {
    const input = checked(RegisterDatabaseServerInput.rules, { ...(await inputOf(options)), name });
    await told(() => registerServer(registrar, input));
    return;
  }
  const { rows } = await registrar.control.pool.query<{ id: string }>(
    'select id from database_servers where lower(name) = lower($1)',
    [name],
  );
  if (!rows[0]) throw new ConfigError(`There is no database server ${name}.`);
  const { id } = rows[0];
  if (verb === 'remove') await told(() => removeServer(registrar, id));
  else if (STATES[verb]) await told(() => updateServer(registrar, id, { state: STATES[verb] }));
  else {
    const input = checked(UpdateDatabaseServerInput.rules, await inputOf(options));
    await told(() => updateServer(registrar, id, input));
  }
}

async function list(servers: readonly DatabaseServer[], known: DatabaseServers): Promise<void> {
  const rows = await Promise.all(
    servers.map(async ({ id, name, state, region, tenants, leftDatabases, capacity, address, pooledAddress }) => [
      name,
      state,
      region ?? '-',
      `${tenants}/${capacity}`,
      pooledAddress ? `${address} (pooled: ${pooledAddress})` : address,
      `${await standing(known, id)}${leftDatabases > 0 ? `; ${leftDatabases} of removed tenants still to be dropped` : ''}`,
    ]),
  );
  const table = [['NAME', 'STATE', 'REGION', 'TENANTS', 'ADDRESS', 'STANDS'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table)
    say(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
}

async function standing(known: DatabaseServers, id: string): Promise<string> {
  const asked = performance.now();
  try {
    await (await known.byId(id)).pool.query('select 1');
    return `up, ${Math.round(performance.now() - asked)} ms`;
  } catch (error) {
    return `down: ${describeFailure(error)}`;
  }
}

await runCommand(async () => {
  const wanted = readArguments();
  await withInstallation(readConfig(process.env), (found) =>
    withControlPlane(found, 4, async ({ control, servers, keys, log }) => {
      const registrar: Registrar = { em: control.orm.em.fork(), control, servers, keys, log, source: bySystem };
      if (wanted.verb !== 'list') await change(registrar, wanted);
      await list(await listDatabaseServers({ control, keys }), servers);
    }),
  );
  return 0;
});
