/** What a step of a move is given, and what it leaves. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import type pg from 'pg';
import type { Services } from '../../context.ts';
import { LOCKS } from '../../db/locks.ts';
import type { TenantCluster } from '../../db/tenant-cluster.ts';
import type { MoveProgress, TenantMove } from '../../entities/control/tenant-move.ts';
import { HandedBack } from '../durable-run.ts';
import type { MoveSessions } from './sessions.ts';

const LOOK_MS = 250;

export interface StepContext {
  services: Services;
  orgId: string;
  /** When the move was asked for. */
  askedAt: Date;
  /** Of the tenant's database and of its role, on either server. */
  name: string;
  source: TenantCluster;
  target: TenantCluster;
  sessions: MoveSessions;
  /** Says that the worker is asked to stop. */
  signal: AbortSignal;
  maxReadOnlyMs: number;
  /** Whether it is to come to its end also without a server that does not answer. */
  isAbandoned: boolean;
  /** How long the tenant has not been written by now; 0 while it is. */
  readOnlyMs(): number;
  /** Tells every process how the move stands. */
  announce(): Promise<void>;
  /** Notes how far the copy has come, and tells it, at most once in a while. */
  report(progress: Partial<MoveProgress>): Promise<void>;
}

/** What is written together with a step's being done. */
export type Recorder = (em: EntityManager, move: TenantMove) => Promise<void> | void;

/** May be repeated after a crash at any point of it. */
export type Step = (context: StepContext) => Promise<Recorder | undefined>;

/** Which role reads the changes on either server, and by which password: drawn from the secret of when the move was asked for, so that it is kept nowhere. */
export const replicationPassword = ({
  services,
  orgId,
  askedAt,
}: Pick<StepContext, 'services' | 'orgId' | 'askedAt'>) =>
  services.keys.fingerprintOf(askedAt.getTime(), 'move', orgId);

/** @throws {HandedBack} when the worker is asked to stop. */
export async function pause({ signal }: StepContext, ms = LOOK_MS): Promise<void> {
  await sleep(ms);
  if (signal.aborted) throw new HandedBack();
}

/** The session of a server's own database, for what is made and dropped on it. */
export const administer = ({ sessions }: Pick<StepContext, 'sessions'>, server: TenantCluster) =>
  sessions.in(server, decodeURIComponent(new URL(server.url).pathname.slice(1)));

/** With the lock that whoever makes, migrates, restores or drops the tenant's database on that server takes. */
export async function alone(
  context: StepContext,
  server: TenantCluster,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = await administer(context, server);
  await client.query('select pg_advisory_lock($1, hashtext($2))', [LOCKS.tenantDatabase, context.name]);
  try {
    await work(client);
  } finally {
    await client.query('select pg_advisory_unlock($1, hashtext($2))', [LOCKS.tenantDatabase, context.name]);
  }
}
