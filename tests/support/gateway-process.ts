/** The built gateway and the operator's commands as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runningServer } from '../../src/db/embedded-cluster.ts';
import { eventually } from './actors.ts';
import { dist, START } from './built.ts';
import { SUPER_ADMIN } from './super-admin.ts';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
}

export interface GatewayProcess {
  readonly url: string;
  readonly pid: number;
  /** What it has said and logged so far. */
  output(): string;
  /** Milliseconds of processor time that it has used. */
  cpuMs(): number;
  /** @returns how it ended. */
  end(signal: NodeJS.Signals): Promise<Ended>;
}

/** How a gateway is run otherwise than by `npm start`. */
export interface Variant {
  /** The folder of a compiled gateway, run as it is compiled, a file a module. */
  build?: string;
  /** A module that Node loads before the gateway. */
  preload?: string;
  /** What follows `npm start --`. */
  options?: string[];
  /** Told what it prints and logs, as it comes. */
  told?(output: string): void;
}

/** Processes that a test has started, and folders that it has made. */
const running = new Set<ChildProcess>();
const folders: string[] = [];

/** To be called after the tests: kills and removes what is left. */
export async function cleanUp(): Promise<void> {
  for (const child of running) child.kill('SIGKILL');
  await Promise.all([...running].map((child) => once(child, 'close')));
  for (const folder of folders.splice(0)) {
    await postgresGone(join(folder, 'data'));
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits until no server runs on a data folder: a killed gateway's writes its last, of many new databases for some time. */
export async function postgresGone(dataDir: string): Promise<void> {
  await eventually(
    () => runningServer(dataDir),
    (server) => server === undefined,
    100_000,
  );
}

/** An empty folder that is removed by `cleanUp`. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'omnistream-gateway-'));
  folders.push(folder);
  return folder;
}

interface Run {
  child: ChildProcess;
  ended: Promise<Ended>;
  output(): string;
}

/** What follows `node` where a compiled module is run. */
const moduleOf = (script: string, build = dist) => ['--enable-source-maps', join(build, script)];

/** @param program a command below `dist`, or what follows `node`. */
function run(
  program: string | readonly string[],
  env: Record<string, string>,
  options: string[] = [],
  told: (output: string) => void = () => {},
  input = '',
): Run {
  const words = typeof program === 'string' ? moduleOf(program) : program;
  // The kernel ends it when the tests die, however they die.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, ...words, ...options], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, LOG_LEVEL: 'warn', WARM_DATABASES: '2', ...env },
  });
  running.add(child);
  child.stdin!.on('error', () => {});
  child.stdin!.end(input);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream!.setEncoding('utf8');
    stream!.on('data', (chunk) => {
      output += chunk;
      told(chunk);
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child);
    return { code, signal, output };
  });
  return { child, ended, output: () => output };
}

/** Starts a gateway without waiting for it to be up. */
export const spawnGateway = (env: Record<string, string>, ...options: string[]): Pick<Run, 'child' | 'ended'> =>
  run(START, env, options);

/** The same, for one that ends by itself. @returns how it ended. */
export const runGateway = (env: Record<string, string>, ...options: string[]): Promise<Ended> =>
  spawnGateway(env, ...options).ended;

/** `npm run doctor` */
export const runDoctor = (env: Record<string, string>): Promise<Ended> => run('doctor.js', env).ended;

/** `npm run audit:verify` */
export const runAuditVerify = (env: Record<string, string>, ...options: string[]): Promise<Ended> =>
  run('audit-verify.js', env, options).ended;

/** `npm run backup` */
export const runBackup = (env: Record<string, string>, ...options: string[]): Promise<Ended> =>
  run('backup.js', env, options).ended;

/** `npm run restore`, on its way. */
export const startRestore = (env: Record<string, string>, ...options: string[]): Pick<Run, 'child' | 'ended'> =>
  run('restore.js', env, options);

/** `npm run tenants`, on its way. */
export const startTenants = (env: Record<string, string>, ...options: string[]): Run => run('tenants.js', env, options);

/** The same, for a command that ends by itself. @returns how it ended. */
export const runTenants = (env: Record<string, string>, ...options: string[]): Promise<Ended> =>
  startTenants(env, ...options).ended;

/** `npm run servers`. @param input what it reads from standard input. */
export const runServers = (env: Record<string, string>, options: string[], input?: string): Promise<Ended> =>
  run('servers.js', env, options, undefined, input).ended;

/** `npm run keys`, on its way. @param told what it prints, as it comes. */
export const startKeys = (env: Record<string, string>, options: string[], told?: (output: string) => void): Run =>
  run('keys.js', env, options, told);

/** The same, for one that ends by itself. @returns how it ended. */
export const runKeys = (env: Record<string, string>, ...options: string[]): Promise<Ended> =>
  startKeys(env, options).ended;

/** `npm run restore`, to its end. */
export const runRestore = (env: Record<string, string>, ...options: string[]): Promise<Ended> =>
  startRestore(env, ...options).ended;

/** proc_pid_stat(5): fields 14 and 15, in ticks of 10 ms; the name in field 2 may hold anything but `)`. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(')')[1]!.trim().split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** Starts a gateway and waits until it answers. @param env on top of a free port and a known super admin. */
export async function startGateway(env: Record<string, string>, variant: Variant = {}): Promise<GatewayProcess> {
  const { build, preload, options, told } = variant;
  const standing = { PORT: '0', SUPER_ADMIN_EMAIL: SUPER_ADMIN.email, SUPER_ADMIN_PASSWORD: SUPER_ADMIN.password };
  const preloading = preload && { NODE_OPTIONS: `--import ${preload}` };
  const { child, ended, output } = run(
    build ? moduleOf('main.js', build) : START,
    { ...standing, ...preloading, ...env },
    options,
    told,
  );
  let dead = false;
  void ended.then(() => {
    dead = true;
  });
  const deadline = Date.now() + 60_000;
  for (;;) {
    const base = /Health +(http:\S+)\/api\/health/.exec(output())?.[1];
    if (base && (await fetch(`${base}/api/health`)).ok) {
      return {
        url: base,
        pid: child.pid!,
        output,
        cpuMs: () => cpuMs(child.pid!),
        end(signal) {
          child.kill(signal);
          return ended;
        },
      };
    }
    if (dead || Date.now() > deadline) throw new Error(`the gateway did not start:\n${output()}`);
    await sleep(10);
  }
}
