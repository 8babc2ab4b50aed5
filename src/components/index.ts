import type { ComponentsConfig, ServiceName } from '../config.ts';
import { httpServiceProbe } from './http-service.ts';
import type { ObjectStore } from './object-store.ts';
import type { Probe } from './probe.ts';
import type { TenantStore } from './tenant-store.ts';

/** What the platform depends on besides PostgreSQL. Only what is configured is there. */
export interface Components {
  readonly probes: {
    readonly mongodb?: Probe;
    readonly redis?: Probe;
    readonly kafka?: Probe;
    readonly minio?: Probe;
    readonly services: Readonly<Partial<Record<ServiceName, Probe>>>;
  };
  /** In the order in which a tenant's share is created. */
  readonly stores: readonly TenantStore[];
  /** The object store itself, where there is one. */
  readonly objects?: ObjectStore;
  close(): Promise<void>;
}

/**
 * Nothing is connected here: each component connects when it is first used. A client library is loaded only where its
 * component is configured; together they would add half a second to every start.
 */
export async function makeComponents(config: ComponentsConfig): Promise<Components> {
  const { mongodbUrl, redisUrl, kafkaBrokers, kafkaAccess, minioUrl } = config;
  const [mongodb, redis, kafka, minio] = await Promise.all([
    mongodbUrl ? import('./mongodb.ts').then(({ mongodbComponent }) => mongodbComponent(mongodbUrl)) : undefined,
    redisUrl ? import('./redis.ts').then(({ redisComponent }) => redisComponent(redisUrl)) : undefined,
    kafkaBrokers
      ? import('./kafka.ts').then(({ kafkaComponent }) => kafkaComponent(kafkaBrokers, kafkaAccess))
      : undefined,
    minioUrl ? import('./minio.ts').then(({ minioComponent }) => minioComponent(minioUrl)) : undefined,
  ]);
  const services: Partial<Record<ServiceName, Probe>> = {};
  for (const [name, url] of Object.entries(config.services)) {
    if (url) services[name as ServiceName] = httpServiceProbe(url);
  }
  const probes = {
    ...(mongodb && { mongodb: mongodb.probe }),
    ...(redis && { redis: redis.probe }),
    ...(kafka && { kafka: kafka.probe }),
    ...(minio && { minio: minio.probe }),
  };
  return {
    probes: { ...probes, services },
    stores: [mongodb, minio, kafka].flatMap((component) => component?.store ?? []),
    ...(minio && { objects: minio.objects }),
    async close() {
      await Promise.all([...Object.values(probes), ...Object.values(services)].map((probe) => probe.close()));
    },
  };
}
