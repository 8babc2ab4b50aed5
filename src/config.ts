/** The environment, parsed once and frozen. Secrets have no defaults here: `db/secrets.ts` makes the missing ones. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { type KafkaAccess, kafkaAccess, kafkaVariables } from './kafka-access.ts';
import { isTimeZone } from './time-zones.ts';
import { blankIsUnset, optional, url, whole } from './variable-rules.ts';

const service = url('http:', 'https:');

const PROTOCOLS = ['http/protobuf', 'http/json'] as const;
const otlpProtocol = optional(
  z.enum(PROTOCOLS, { error: `must be ${PROTOCOLS.join(' or ')}: the gateway sends traces over HTTP` }),
);
const FRACTION = { error: 'must be a number from 0 to 1' };
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

const isOrigin = (text: string) =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
const nameOf = (setting: string) => setting.split('=')[0]!;

const rootSecret = optional(
  z.string().refine((s) => Buffer.byteLength(s) >= 32, { error: 'must be at least 32 bytes' }),
);

const environment = z.object({
  NODE_ENV: z.preprocess(blankIsUnset, z.string().default('development')),
  PORT: whole(0, 65_535, 4000),
  HOST: z.preprocess(blankIsUnset, z.string().default('127.0.0.1')),
  ROLE: z.preprocess(
    blankIsUnset,
    z.enum(['all', 'gateway', 'worker'], { error: 'must be all, gateway or worker' }).default('all'),
  ),
  DATA_DIR: z.preprocess(blankIsUnset, z.string().default('./data')),
  DATA_DIR_SHARED: optional(z.stringbool({ error: 'must be true or false' })),
  DATABASE_URL: url('postgres:', 'postgresql:'),
  JWT_SECRET: rootSecret,
  JWT_SECRET_FORMER: rootSecret,
  SUPER_ADMIN_EMAIL: optional(z.email({ error: 'must be an e-mail address' })),
  SUPER_ADMIN_PASSWORD: optional(z.string().min(8, { error: 'must have at least 8 characters' })),
  DEFAULT_TIMEZONE: z.preprocess(
    blankIsUnset,
    z.string().refine(isTimeZone, { error: 'must be an IANA time zone such as Asia/Jakarta' }).default('UTC'),
  ),
  WARM_DATABASES: whole(0, 50, 8),
  UPGRADE_TENANTS: z.preprocess(
    blankIsUnset,
    z.enum(['auto', 'manual'], { error: 'must be auto or manual' }).default('auto'),
  ),
  TENANT_CONNECTIONS: whole(4, 1000, 100),
  BASE_DOMAIN: optional(
    z.string().regex(/^(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/i, {
      error: 'must be a domain name such as chat.example.com, without scheme, port or leading dot',
    }),
  ),
  TRUST_PROXY: optional(
    z.string().regex(/^[0-9a-f.:/]+(,[0-9a-f.:/]+)*$/i, {
      error: 'must be addresses or CIDR ranges, several separated by commas',
    }),
  ),
  PLAYGROUND: optional(z.stringbool({ error: 'must be true or false' })),
  PERSISTED_DOCUMENTS_ONLY: optional(z.stringbool({ error: 'must be true or false' })),
  PERSISTED_DOCUMENTS: optional(z.string()),
  CORS_ORIGINS: optional(
    z.string().refine((text) => text.split(',').every(isOrigin), {
      error: 'must be origins such as https://app.example.com, several separated by commas',
    }),
  ),
  RATE_LIMITS: optional(
    z
      .string()
      .refine((text) => text.split(',').every((one) => /^[a-z_]+=\d{1,9}$/.test(one) && nameOf(one) in RATE_LIMITS), {
        error: 'must be such as sign_in=600,graphql=0, of sign_in, export, graphql, public and signed_in',
      }),
  ),
  LOG_LEVEL: z.preprocess(
    blankIsUnset,
    z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: service,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: service,
  OTEL_EXPORTER_OTLP_PROTOCOL: otlpProtocol,
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: otlpProtocol,
  OTEL_TRACES_EXPORTER: optional(z.enum(['otlp', 'none'], { error: 'must be otlp or none' })),
  OTEL_TRACES_SAMPLER: optional(z.enum(SAMPLERS, { error: `must be one of ${SAMPLERS.join(', ')}` })),
  OTEL_TRACES_SAMPLER_ARG: optional(z.coerce.number(FRACTION).min(0, FRACTION).max(1, FRACTION)),
  OTEL_SDK_DISABLED: optional(z.stringbool({ error: 'must be true or false' })),
  REDIS_URL: url('redis:', 'rediss:'),
  MONGODB_URL: url('mongodb:', 'mongodb+srv:'),
  KAFKA_BROKERS: optional(
    z.string().regex(/^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/, { error: 'must be host:port, several separated by commas' }),
  ),
  ...kafkaVariables,
  MINIO_URL: url('http:', 'https:'),
  WEBHOOK_INGESTOR_URL: service,
  WS_SERVER_URL: service,
  CHAT_ENGINE_URL: service,
  MESSAGE_SENDER_URL: service,
  AI_AGENT_URL: service,
  BILLING_SERVICE_URL: service,
});

/** Every variable that is looked at. */
export const VARIABLES: readonly string[] = Object.keys(environment.shape);

/** What requests are counted as (rate-limits.ts), with how many a minute one address may send; 0 is no limit. */
const RATE_LIMITS = {
  /** Signing in and signing up. */
  sign_in: 600,
  /** Files of a whole log. */
  export: 120,
  /** GraphQL without credentials, sockets and event streams included. */
  graphql: 12_000,
  /** Whatever else comes without credentials. */
  public: 0,
  /** Whatever else comes with credentials. */
  signed_in: 0,
};
export type RateLimit = keyof typeof RATE_LIMITS;

export type Role = 'all' | 'gateway' | 'worker';

/** How one gateway process is set up. Every field comes from the variable of the same meaning in `docs/operating.md`. */
export interface Config {
  readonly production: boolean;
  /** Whether `/graphql` shows a playground to browsers, and the schema describes itself. */
  readonly playground: boolean;
  /** Whether only documents that are known beforehand are run: the console's, and those of the operator's file. */
  readonly persistedDocuments?: { readonly file?: string };
  /**
   * What this process does: `gateway` serves the API, `worker` works off jobs and does the periodic work, `all` both.
   */
  readonly role: Role;
  readonly port: number;
  readonly host: string;
  /** Absolute path: the embedded PostgreSQL and generated secrets. */
  readonly dataDir: string;
  /** Whether that folder stays, and all processes have it: as on one machine with the embedded server, unless somebody says so. */
  readonly dataDirShared: boolean;
  /** An external PostgreSQL; absent, the embedded one is started. */
  readonly databaseUrl?: string;
  readonly jwtSecret?: string;
  /** While `jwtSecret` is being changed, and for archives of before (docs/decisions/0040). */
  readonly formerJwtSecret?: string;
  readonly superAdminEmail?: string;
  readonly superAdminPassword?: string;
  readonly defaultTimezone: string;
  /** So many databases are kept ready for tenants to come. */
  readonly warmDatabases: number;
  /** Whether a start upgrades tenants' databases that are behind, or waits for somebody to start that. */
  readonly upgradeTenants: 'auto' | 'manual';
  /** Connections that this process may have to the tenants' databases of one server. */
  readonly tenantConnections: number;
  /** Its subdomains name tenants: the first label of a host under it is a slug. */
  readonly baseDomain?: string;
  /** Addresses and CIDR ranges of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. */
  readonly trustProxy?: readonly string[];
  /** Pages of these origins may use the API with a visitor's cookie, as pages of this server may. */
  readonly corsOrigins: readonly string[];
  readonly rateLimits: Readonly<Record<RateLimit, number>>;
  readonly logLevel: string;
  /** Where traces are sent to somewhere. */
  readonly tracing?: TracingConfig;
  readonly components: ComponentsConfig;
}

/** What else OpenTelemetry is told stands in its own variables, which its SDK reads. */
export interface TracingConfig {
  readonly protocol: (typeof PROTOCOLS)[number];
}

/** Optional infrastructure and the services probed over HTTP; what is absent is `not_configured`. */
export interface ComponentsConfig {
  readonly redisUrl?: string;
  readonly mongodbUrl?: string;
  /** `host:port` each. */
  readonly kafkaBrokers?: readonly string[];
  readonly kafkaAccess?: KafkaAccess;
  /** An S3-compatible server, credentials in the URL: `http://key:secret@host:9000`. */
  readonly minioUrl?: string;
  readonly services: Readonly<Partial<Record<ServiceName, string>>>;
}

export type ServiceName =
  | 'webhookIngestor'
  | 'wsServer'
  | 'chatEngine'
  | 'messageSender'
  | 'aiAgent'
  | 'billingService';

/** A configuration that cannot be started with; its message is written for the operator. */
export class ConfigError extends Error {}

/** @throws {ConfigError} naming every variable that is wrong, never its value. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')} ${issue.message}`);
    throw new ConfigError(`The environment cannot be used:\n${lines.join('\n')}`);
  }
  const e = parsed.data;
  const production = e.NODE_ENV === 'production';
  if (production && !e.JWT_SECRET) {
    throw new ConfigError('JWT_SECRET must be set when NODE_ENV=production (at least 32 bytes).');
  }
  if (e.JWT_SECRET && e.JWT_SECRET === e.JWT_SECRET_FORMER) {
    throw new ConfigError('JWT_SECRET_FORMER is the secret before JWT_SECRET: they cannot be the same.');
  }
  if (e.PERSISTED_DOCUMENTS_ONLY && e.PLAYGROUND) {
    throw new ConfigError(
      'PLAYGROUND needs documents of every kind: leave it out where PERSISTED_DOCUMENTS_ONLY is set.',
    );
  }
  if (e.PERSISTED_DOCUMENTS && !e.PERSISTED_DOCUMENTS_ONLY) {
    throw new ConfigError('PERSISTED_DOCUMENTS means nothing without PERSISTED_DOCUMENTS_ONLY=true.');
  }
  if (e.ROLE !== 'all' && !e.DATABASE_URL) {
    throw new ConfigError(
      `A process that is only a ${e.ROLE} needs DATABASE_URL: the embedded PostgreSQL belongs to one process, which does everything.`,
    );
  }
  const kafka = kafkaAccess(e);
  if (typeof kafka === 'string') throw new ConfigError(kafka);
  return Object.freeze({
    production,
    playground: e.PLAYGROUND ?? !(production || e.PERSISTED_DOCUMENTS_ONLY),
    persistedDocuments: e.PERSISTED_DOCUMENTS_ONLY ? { file: e.PERSISTED_DOCUMENTS } : undefined,
    role: e.ROLE,
    port: e.PORT,
    host: e.HOST,
    dataDir: resolve(e.DATA_DIR),
    dataDirShared: e.DATA_DIR_SHARED ?? !e.DATABASE_URL,
    databaseUrl: e.DATABASE_URL,
    jwtSecret: e.JWT_SECRET,
    formerJwtSecret: e.JWT_SECRET_FORMER,
    superAdminEmail: e.SUPER_ADMIN_EMAIL,
    superAdminPassword: e.SUPER_ADMIN_PASSWORD,
    defaultTimezone: e.DEFAULT_TIMEZONE,
    warmDatabases: e.WARM_DATABASES,
    upgradeTenants: e.UPGRADE_TENANTS,
    tenantConnections: e.TENANT_CONNECTIONS,
    baseDomain: e.BASE_DOMAIN?.toLowerCase(),
    trustProxy: e.TRUST_PROXY?.split(','),
    corsOrigins: e.CORS_ORIGINS?.split(',') ?? [],
    rateLimits: { ...RATE_LIMITS, ...rateLimitsIn(e.RATE_LIMITS) },
    logLevel: e.LOG_LEVEL,
    tracing: tracingIn(e),
    components: Object.freeze({
      redisUrl: e.REDIS_URL,
      mongodbUrl: e.MONGODB_URL,
      kafkaBrokers: e.KAFKA_BROKERS?.split(','),
      kafkaAccess: kafka,
      minioUrl: e.MINIO_URL,
      services: Object.freeze({
        webhookIngestor: e.WEBHOOK_INGESTOR_URL,
        wsServer: e.WS_SERVER_URL,
        chatEngine: e.CHAT_ENGINE_URL,
        messageSender: e.MESSAGE_SENDER_URL,
        aiAgent: e.AI_AGENT_URL,
        billingService: e.BILLING_SERVICE_URL,
      }),
    }),
  });
}

function tracingIn(e: z.infer<typeof environment>): TracingConfig | undefined {
  if (e.OTEL_SDK_DISABLED || e.OTEL_TRACES_EXPORTER === 'none') return undefined;
  if (!e.OTEL_EXPORTER_OTLP_ENDPOINT && !e.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return undefined;
  return { protocol: e.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? e.OTEL_EXPORTER_OTLP_PROTOCOL ?? PROTOCOLS[0] };
}

const rateLimitsIn = (text = '') =>
  Object.fromEntries(
    text
      .split(',')
      .filter(Boolean)
      .map((one) => [nameOf(one), Number(one.split('=')[1])]),
  );
