/** Who asks, for what tenant, and with what: the same for HTTP, sockets and jobs. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Logger } from 'pino';
import type { Components } from './components/index.ts';
import type { Config } from './config.ts';
import { type ControlDatabase, type Query, readRows } from './db/control.ts';
import type { Queue } from './db/queue.ts';
import type { Keys } from './db/secrets.ts';
import type { TenantCluster } from './db/tenant-cluster.ts';
import type { TenantDatabases } from './db/tenants.ts';
import type { HealthMonitor } from './domain/health.ts';
import type { LoginThrottle } from './domain/login-throttle.ts';
import type { Revocations } from './domain/revocations.ts';
import type { Schedules } from './domain/schedules.ts';
import type { TenantDirectory } from './domain/tenant-directory.ts';
import type { Caller, Tokens } from './domain/tokens.ts';
import { AppError } from './errors.ts';
import type { EventBus } from './live/event-bus.ts';
import { createLoaders, type Loaders } from './schema/loaders.ts';

/** What one gateway process has, shared by all its requests and jobs. */
export interface Services {
  readonly config: Config;
  readonly log: Logger;
  readonly keys: Keys;
  readonly control: ControlDatabase;
  readonly tenants: TenantDatabases;
  readonly cluster: TenantCluster;
  readonly components: Components;
  readonly bus: EventBus;
  readonly queue: Queue;
  readonly revocations: Revocations;
  readonly tokens: Tokens;
  readonly throttle: LoginThrottle;
  readonly health: HealthMonitor;
  readonly directory: TenantDirectory;
  readonly schedules: Schedules;
}

/** Who did something, as the audit log names them. */
export type Actor = Caller | { kind: 'system' } | { kind: 'anonymous'; email?: string };

/** Where a request that needs no token says which tenant it is about. */
export interface AboutTenant {
  /** The header `X-Tenant-Slug`. */
  slug?: string;
  /** The host that was asked, without its port. */
  host?: string;
}

/** What a request carries besides its operation. */
export interface RequestFacts {
  requestId: string;
  /** The caller's network address. */
  address: string;
  /** A bearer token, from the header or the cookie. */
  token?: string;
  tokenIsFrom?: 'header' | 'cookie';
  /** What else says which tenant a public question is about (contract section 3). */
  aboutTenant?: AboutTenant;
  /** Sets (or, given undefined, clears) the `access_token` cookie of the answer. */
  setCookie?(token: string | undefined, maxAgeSeconds: number): void;
}

export class Context {
  readonly services: Services;
  readonly requestId: string;
  readonly address: string;
  /** The control plane's entity manager, this request's own; inside an idempotent request, its transaction's. */
  readonly em: EntityManager;
  readonly setCookie: NonNullable<RequestFacts['setCookie']>;
  readonly aboutTenant: AboutTenant;
  /** What the request says about who asks, good or bad. */
  readonly credentials: 'none' | 'header' | 'cookie';
  // Not #private: Apollo hands resolvers a copy of the context, which would lack them.
  private readonly token?: string;
  private known?: Caller;
  private batch?: Loaders;

  constructor(services: Services, request: RequestFacts, em?: EntityManager) {
    this.services = services;
    this.requestId = request.requestId;
    this.address = request.address;
    this.token = request.token;
    this.setCookie = request.setCookie ?? (() => {});
    this.aboutTenant = request.aboutTenant ?? {};
    this.credentials = request.token ? (request.tokenIsFrom ?? 'header') : 'none';
    this.em = em ?? services.control.orm.em.fork();
  }

  /** The same request on another entity manager. */
  within(em: EntityManager): Context {
    const { services, requestId, address, setCookie, aboutTenant, token, credentials } = this;
    const tokenIsFrom = credentials === 'none' ? undefined : credentials;
    const copy = new Context(services, { requestId, address, setCookie, aboutTenant, token, tokenIsFrom }, em);
    copy.known = this.known;
    return copy;
  }

  /**
   * Who asks, judged anew on each call: an account can be suspended while a socket is open.
   *
   * @throws {AppError} unauthenticated, user_suspended or tenant_suspended.
   */
  get caller(): Caller {
    if (!this.token) throw new AppError('unauthenticated');
    this.known = this.services.tokens.verify(this.token);
    return this.known;
  }

  /** The caller as the audit log names it. Authorization has happened before; an operation open to all has no caller. */
  get actor(): Actor {
    return this.known ?? { kind: 'anonymous' };
  }

  get loaders(): Loaders {
    this.batch ??= createLoaders(this);
    return this.batch;
  }

  /** Reads plain rows of the caller's tenant. */
  tenantRows<Row>(statement: Query<Row>, values: unknown[] = []): Promise<Row[]> {
    return this.services.tenants.rows(tenantUser(this).orgId, statement, values);
  }

  /** Reads plain rows of the control plane, in this request's transaction if there is one. */
  rows<Row>(statement: Query<Row>, values: unknown[]): Promise<Row[]> {
    return readRows(this.em, this.services.control.pool, statement, values);
  }
}

/** The super admin who asks; for operations that only a super admin may use. */
export function superAdmin(ctx: Context): Extract<Caller, { kind: 'superAdmin' }> {
  const { caller } = ctx;
  if (caller.kind !== 'superAdmin') throw new AppError('forbidden');
  return caller;
}

/** The tenant's user who asks, an impersonated one as well; for operations of tenants. */
export function tenantUser(ctx: Context): Extract<Caller, { kind: 'agent' }> {
  const { caller } = ctx;
  if (caller.kind !== 'agent') throw new AppError('forbidden');
  return caller;
}
