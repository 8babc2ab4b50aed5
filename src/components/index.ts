import type { ComponentsConfig, ServiceName } from '../config.ts';
import { httpServiceProbe } from './http-service.ts';
import { kafkaComponent } from './kafka.ts';
import { minioComponent } from './minio.ts';
import { mongodbComponent } from './mongodb.ts';
import type { Probe } from './probe.ts';
import { redisComponent } from './redis.ts';
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
  close(): Promise<void>;
}

/** Nothing is connected here: each component connects when it is first used. */
export function makeComponents(config: ComponentsConfig): Components {
  const mongodb = config.mongodbUrl ? mongodbComponent(config.mongodbUrl) : undefined;
  const redis = config.redisUrl ? redisComponent(config.redisUrl) : undefined;
  const kafka = config.kafkaBrokers ? kafkaComponent(config.kafkaBrokers) : undefined;
  const minio = config.minioUrl ? minioComponent(config.minioUrl) : undefined;
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
    async close() {
      await Promise.all([...Object.values(probes), ...Object.values(services)].map((probe) => probe.close()));
    },
  };
}
