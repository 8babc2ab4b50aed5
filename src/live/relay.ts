/**
 * Redis between PostgreSQL and gateways: processes that listen to PostgreSQL say in Redis how far the event log has come, and
 * gateways, of which there may be many, hold no LISTEN session each. The message is a number; what happened is read from the log.
 */
import type { Config } from '../config.ts';
import type { EventBus } from './event-bus.ts';
import type { RedisLink } from './redis-link.ts';

/** Whether PostgreSQL wakes this process. */
export const listensToPostgres = ({ role, components }: Config): boolean =>
  role !== 'gateway' || components.redisUrl === undefined;

/** @param installation several may share a Redis. */
export function relayEvents(config: Config, bus: EventBus, redis: RedisLink, installation: string): void {
  const channel = `omnistream:${installation}:events`;
  if (listensToPostgres(config)) bus.onRead((seq) => redis.publish(channel, String(seq)));
  else redis.subscribe(channel, (seq) => bus.wake(Number(seq)));
}
