/** Who asks, for what tenant, and with what: the same for HTTP, sockets and jobs. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Logger } from 'pino';
import type { Components } from './components/index.ts';
import type { Config } from './config.ts';
import { type ControlDatabase, type Query, readRows, sqlOf } from './db/control.ts';
import type { DatabaseServers } from './db/database-servers.ts';
import type { Keys } from './db/keys.ts';
import type { ById } from './db/point-reads.ts';
import type { Queue } from './db/queue.ts';
import type { TenantCluster } from './db/tenant-cluster.ts';
import type { TenantDatabases } from './db/tenants.ts';
import type { WarmDatabases } from './db/warm-databases.ts';
import { type Access, type AccessMemory, ADMIN_ACCESS } from './domain/access.ts';
import type { ApiKeyRing, KeyHolder } from './domain/api-key-ring.ts';
import type { AuditTail } from './domain/audit-tail.ts';
import type { HealthMonitor } from './domain/health.ts';
import type { HoursWatch } from './domain/hours-watch.ts';
import type { KeptFiles } from './domain/kept-files.ts';
import type { LastUse } from './domain/last-use.ts';
import type { LoginThrottle } from './domain/login-throttle.ts';
import type { TenantPermission } from './domain/permissions.ts';
import type { Revocations } from './domain/revocations.ts';
import type { Schedules } from './domain/schedules.ts';
import type { TenantDirectory } from './domain/tenant-directory.ts';
import type { Caller, Tokens } from './domain/tokens.ts';
import { TenantStatus } from './entities/control/organization.ts';
import { AppError } from './errors.ts';
import type { ClockWatch } from './live/clock-watch.ts';
import type { EventBus } from './live/event-bus.ts';
import type { RedisLink } from './live/redis-link.ts';
import { createLoaders, type Loaders } from './schema/loaders.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** What one gateway process has, shared by all its requests and jobs. */
export interface Services {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly keys: Keys;
  readonly control: ControlDatabase;
  readonly tenants: TenantDatabases;
  readonly servers: DatabaseServers;
  /** What is prepared on a server for tenants to come. */
  readonly warmOn: (server: TenantCluster) => WarmDatabases;
  readonly components: Components;
  readonly bus: EventBus;
  /** Where there is one. */
  readonly redis?: RedisLink;
  readonly clock: ClockWatch;
  readonly queue: Queue;
  readonly revocations: Revocations;
  readonly tokens: Tokens;
  readonly throttle: LoginThrottle;
  readonly health: HealthMonitor;
  readonly directory: TenantDirectory;
  readonly schedules: Schedules;
  readonly hoursWatch: HoursWatch;
  readonly auditTail: AuditTail;
  readonly access: AccessMemory;
  readonly apiKeys: ApiKeyRing;
  readonly lastUse: LastUse;
  readonly kept: KeptFiles;
}

/** Who did something, as the audit log names them. */
export type Actor =
  | Omit<Extract<Caller, { kind: 'superAdmin' }>, 'sessionId'>
  | Extract<Caller, { kind: 'agent' }>
  | { kind: 'system' }
  | { kind: 'anonymous'; email?: string };

/** Where a request that needs no token says which tenant it is about. */
export interface AboutTenant {
  /** The header `X-Tenant-Slug`. */
  slug?: string;
  /** The host that was asked, without its port. */
  host?: string;
}

/** What becomes known of a request while it is worked on, for log lines and traces. */
export interface Trail {
  readonly requestId: string;
  /** The tenant that it is about. */
  orgId?: string;
}

/** What a request carries besides its operation. */
export interface RequestFacts {
  requestId: string;
  trail?: Trail;
  /** The caller's network address. */
  address: string;
  /** A bearer token, from the header or the cookie. */
  token?: string;
  tokenIsFrom?: 'header' | 'cookie';
  /** Whom the API key of the request speaks for, found before; one that is no good throws when it is asked. */
  key?: () => KeyHolder;
  /** What the client calls itself. */
  userAgent?: string;
  /** What else says which tenant a public question is about (contract section 3). */
  aboutTenant?: AboutTenant;
  /** What becomes of a subscriber who does not read what it is told; only where there can be one. */
  tooSlow?(): void;
  /** Sets (or, given undefined, clears) the `access_token` cookie of the answer. */
  setCookie?(token: string | undefined, maxAgeSeconds: number): void;
}

export class Context {
  readonly services: Services;
  readonly requestId: string;
  readonly trail: Trail;
  readonly address: string;
  readonly userAgent?: string;
  /** The control plane's entity manager, this request's own; inside an idempotent request, its transaction's. */
  get em(): EntityManager {
    this.manager ??= this.services.control.orm.em.fork();
    return this.manager;
  }
  readonly setCookie: NonNullable<RequestFacts['setCookie']>;
  readonly tooSlow: NonNullable<RequestFacts['tooSlow']>;
  readonly aboutTenant: AboutTenant;
  /** What the request says about who asks, good or bad. */
  readonly credentials: 'none' | 'header' | 'cookie';
  // Not #private: Apollo hands resolvers a copy of the context, which would lack them.
  private readonly token?: string;
  private readonly key?: () => KeyHolder;
  private judge?: () => Caller;
  private known?: Caller;
  private batch?: Loaders;
  private manager?: EntityManager;

  constructor(services: Services, request: RequestFacts, em?: EntityManager) {
    this.services = services;
    this.requestId = request.requestId;
    this.trail = request.trail ?? { requestId: request.requestId };
    this.address = request.address;
    this.userAgent = request.userAgent;
    this.token = request.token;
    this.key = request.key;
    this.setCookie = request.setCookie ?? (() => {});
    this.tooSlow = request.tooSlow ?? (() => {});
    this.aboutTenant = request.aboutTenant ?? {};
    this.credentials = request.key ? 'header' : request.token ? (request.tokenIsFrom ?? 'header') : 'none';
    this.manager = em;
  }

  /** The same request on another entity manager, with nothing loaded yet; without one, on one of its own. */
  within(em?: EntityManager, setCookie = this.setCookie): Context {
    const { services, requestId, trail, address, userAgent, tooSlow, aboutTenant } = this;
    const { token, key, credentials } = this;
    const tokenIsFrom = credentials === 'none' ? undefined : credentials;
    const facts = { requestId, trail, address, userAgent, setCookie, tooSlow, aboutTenant, token, tokenIsFrom, key };
    const copy = new Context(services, facts, em);
    copy.judge = this.judge;
    copy.known = this.known;
    return copy;
  }

  /**
   * Who asks, judged anew on each call: an account can be suspended while a socket is open.
   *
   * @throws {AppError} unauthenticated, user_suspended or tenant_suspended.
   */
  get caller(): Caller {
    if (this.key) this.known = this.key();
    else if (this.token) this.known = this.verified(this.token);
    else throw new AppError('unauthenticated');
    if (this.known.kind === 'agent') this.trail.orgId = this.known.orgId;
    return this.known;
  }

  private verified(token: string): Caller {
    try {
      this.judge ??= this.services.tokens.judgeOf(token);
      return this.judge();
    } catch (error) {
      // A page cannot take it away itself.
      if (this.credentials === 'cookie') this.setCookie(undefined, 0);
      throw error;
    }
  }

  /** The caller as the audit log names it. Authorization has happened before; an operation open to all has no caller. */
  get actor(): Actor {
    return this.known ?? { kind: 'anonymous' };
  }

  /**
   * What the caller may do in their tenant now.
   *
   * @throws {AppError} forbidden for a super admin; tenant_not_ready until the tenant has a database; tenant_suspended;
   * unauthenticated for somebody who is no more.
   */
  async access(): Promise<Access> {
    const { orgId, id, impersonator, apiKey } = tenantUser(this);
    const { directory, access } = this.services;
    const status = await directory.statusOf(orgId);
    if (status === TenantStatus.PROVISIONING) {
      throw new AppError('tenant_not_ready', { message: 'Your organization is still being set up.', retryAfter: 2 });
    }
    if (!status) throw new AppError('unauthenticated');
    // Its credentials are dead by then. Where one of them is not, it does nothing all the same.
    if (status === TenantStatus.SUSPENDED) throw new AppError('tenant_suspended');
    // In a tenant without an admin, an impersonation speaks for the super admin.
    const found = impersonator?.id === id ? ADMIN_ACCESS : await access.of(orgId, id);
    if (!found) throw new AppError('unauthenticated');
    if (!apiKey) return found;
    const permissions = [...found.permissions].filter((permission) => apiKey.scopes.has(permission));
    return { ...found, permissions: new Set(permissions) };
  }

  /** @throws {AppError} as `access`. */
  async may(permission: TenantPermission): Promise<boolean> {
    return (await this.access()).permissions.has(permission);
  }

  get loaders(): Loaders {
    this.batch ??= createLoaders(this);
    return this.batch;
  }

  /** Reads plain rows of the caller's tenant. */
  tenantRows<Row>(statement: Query<Row>, values: unknown[] = []): Promise<Row[]> {
    return this.services.tenants.rows(tenantUser(this).orgId, statement, values);
  }

  /**
   * Reads plain rows of the control plane, in this request's transaction if there is one. A manager is not made for it: where
   * there is none there is no transaction, and making one costs as much as reading a row.
   */
  rows<Row>(statement: Query<Row>, values: unknown[]): Promise<Row[]> {
    return this.manager
      ? readRows(this.manager, this.services.control.pool, statement, values)
      : sqlOf(this.services.control.pool).rows(statement, values);
  }

  /** Reads one row of the control plane by its id, in this request's transaction if there is one. */
  async row<Row extends { id: string }>(statement: ById<Row>, id: string): Promise<Row | undefined> {
    if (this.manager?.isInTransaction()) return (await this.rows(statement, [[id]]))[0];
    return this.services.control.points.get(statement, id);
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
