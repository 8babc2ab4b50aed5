/** One installation: a control database, the gateways that run on it, and the tenants that it has said yes to. */
import { randomBytes } from 'node:crypto';
import { type Actor, active, agent, eventually, superAdmin } from '../tests/support/actors.ts';
import { dist } from '../tests/support/built.ts';
import { createControlDatabase, dropControlDatabase, sql } from '../tests/support/database.ts';
import { type GatewayProcess, startGateway } from '../tests/support/gateway-process.ts';
import { type S3Server, startS3 } from '../tests/support/s3-server.ts';
import { type Acknowledged, check } from './checker.ts';

export const SECRET = 'a secret of the trials, which is long enough';
/** Of every tenant's first admin; nobody is to find it anywhere. */
export const ADMIN_PASSWORD = 'a password of a first admin';

const preloaded = (file: string) => new URL(file, import.meta.url).href;

export interface Equipment {
  /** Databases that are kept ready for tenants to come; without any, each tenant's is made. */
  warm?: number;
  /** Whether there is an object store, in which each tenant has a bucket. */
  hasObjects?: boolean;
}

export class Installation {
  readonly databaseUrl: string;
  readonly acknowledged: Acknowledged[] = [];
  /** What gateways have answered to what they refused. */
  readonly refusals: string[] = [];
  readonly warm: number;
  readonly objects?: S3Server;
  readonly #build?: string;
  readonly #gateways = new Set<GatewayProcess>();
  /** Of gateways that have ended. */
  readonly #logs: string[] = [];
  readonly #prefix = `t${randomBytes(3).toString('hex')}`;
  #made = 0;

  private constructor(databaseUrl: string, build: string | undefined, warm: number, objects?: S3Server) {
    this.databaseUrl = databaseUrl;
    this.warm = warm;
    this.objects = objects;
    this.#build = build;
  }

  static async make(server: string, build: string | undefined, equipment: Equipment): Promise<Installation> {
    const { warm = 0, hasObjects } = equipment;
    const objects = hasObjects ? await startS3() : undefined;
    return new Installation(await createControlDatabase(server), build, warm, objects);
  }

  /** @param holdAt points at which it stops, one a tenant, in the order in which tenants come to it (crash-points.ts). */
  start(holdAt: readonly string[] = []): Promise<GatewayProcess> {
    if (holdAt.length === 0) return this.#start();
    return this.#start({ HOLD_AT: holdAt.join(';') }, './crash-points.ts');
  }

  /** One that says what it has in memory (census.ts). */
  startCounted(): Promise<GatewayProcess> {
    return this.#start({}, './census.ts');
  }

  /** One of another compiled gateway. */
  startBuild(build: string, env: Record<string, string>): Promise<GatewayProcess> {
    return this.#start(env, undefined, build);
  }

  async #start(env: Record<string, string> = {}, preload?: string, build = this.#build): Promise<GatewayProcess> {
    const gateway = await startGateway(
      {
        DATABASE_URL: this.databaseUrl,
        JWT_SECRET: SECRET,
        LOG_LEVEL: 'info',
        WARM_DATABASES: `${this.warm}`,
        ...(this.objects && { MINIO_URL: this.objects.url }),
        ...env,
      },
      // What is loaded before it gets at its modules, of which the bundle makes one.
      preload ? { build: build ?? dist, preload: preloaded(preload) } : { build },
    );
    this.#gateways.add(gateway);
    return gateway;
  }

  async end(gateway: GatewayProcess, signal: NodeJS.Signals) {
    this.#gateways.delete(gateway);
    const ended = await gateway.end(signal);
    this.#logs.push(ended.output);
    return ended;
  }

  /** Signed in at a gateway. Its token is good at all of them. */
  admin(gateway: GatewayProcess): Promise<Actor> {
    return superAdmin(gateway);
  }

  /** Asks for a tenant. @returns the answer; a tenant that was said yes to is one that the checker looks for. */
  async post(admin: Actor, more: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
    const slug = `${this.#prefix}-${++this.#made}`;
    const wanted = {
      name: `Tenant ${slug}`,
      slug,
      admin_email: `admin@${slug}.test`,
      admin_password: ADMIN_PASSWORD,
      ...more,
    };
    const answer = await admin.rest('POST', '/api/super-admin/tenants', wanted, headers);
    if (answer.status === 201) this.acknowledge(answer.body, wanted.admin_email !== undefined);
    else this.refusals.push(JSON.stringify(answer.body));
    return answer;
  }

  /** So many tenants that are active. */
  async makeTenants(admin: Actor, count: number, ms = 60_000) {
    const answers = await Promise.all(Array.from({ length: count }, () => this.post(admin)));
    const made = answers.map(({ status, body }) => {
      if (status !== 201) throw new Error(`a tenant was refused: ${JSON.stringify(body)}`);
      return body as { id: string; slug: string };
    });
    for (const { id } of made) await active(admin, id, ms);
    return made;
  }

  /** The first admin of one of them. */
  agentOf(gateway: Pick<GatewayProcess, 'url'>, slug: string): Promise<Actor> {
    return agent(gateway, `admin@${slug}.test`, ADMIN_PASSWORD);
  }

  acknowledge({ id, slug }: { id: string; slug: string }, hasAdmin: boolean): void {
    if (!this.acknowledged.some((known) => known.id === id)) this.acknowledged.push({ id, slug, hasAdmin });
  }

  /** Everything that gateways have logged. */
  get logs(): string {
    return [...this.#logs, ...[...this.#gateways].map((gateway) => gateway.output())].join('\n');
  }

  /** Waits until nothing is being made. @returns what would not end. */
  async settled(ms: number): Promise<string[]> {
    const underWay = () =>
      sql<{ slug: string }>(
        this.databaseUrl,
        `select slug from provisioning_runs join organizations o on o.id = org_id where state <> 'succeeded'`,
      );
    try {
      await eventually(underWay, (rows) => rows.length === 0, ms);
      return [];
    } catch (error) {
      return [`tenants that were never made: ${(error as Error).message.slice(0, 300)}`];
    }
  }

  /** Waits until there are as many databases ready as are to be. @returns what is there instead. */
  async stocked(ms: number): Promise<string[]> {
    const stock = () =>
      sql<{ name: string }>(
        this.databaseUrl,
        `select rolname as name from installation, pg_roles
           join pg_database on datname = rolname and datconnlimit <> -2
          where starts_with(rolname, 't_' || code || '_warm_')`,
      );
    try {
      await eventually(stock, (rows) => rows.length === this.warm, ms);
      return [];
    } catch (error) {
      return [`of ${this.warm} databases that are kept ready: ${(error as Error).message.slice(0, 300)}`];
    }
  }

  /** Waits until no job of this kind is waiting or under way. */
  async jobsDone(name: string): Promise<void> {
    const text = `select from pgboss.job where name = $1 and state < 'completed'`;
    await eventually(
      () => sql(this.databaseUrl, text, [name]),
      (rows) => rows.length === 0,
    );
  }

  /** Waits until the job of each tenant that was made is said to be done. @returns those of which it never is. */
  async jobsOver(ms: number): Promise<string[]> {
    const left = () =>
      sql<{ orgId: string }>(
        this.databaseUrl,
        `select org_id as "orgId" from provisioning_runs run join pgboss.job on singleton_key = org_id::text
          where run.state = 'succeeded' and job.name = 'tenant.provision' and job.state < 'completed'`,
      );
    try {
      await eventually(left, (rows) => rows.length === 0, ms);
      return [];
    } catch (error) {
      return [`jobs of tenants that are made: ${(error as Error).message.slice(0, 300)}`];
    }
  }

  /** @returns what is not as it has to be. */
  check(): Promise<string[]> {
    return check(this);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#gateways].map((gateway) => this.end(gateway, 'SIGKILL')));
    await this.objects?.stop();
  }

  async remove(): Promise<void> {
    await this.stop();
    await dropControlDatabase(this.databaseUrl);
  }
}
