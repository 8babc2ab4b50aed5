/** What the health report is made of, in the order in which it is shown. */
import {
  IconApi,
  IconBolt,
  IconBrandInstagram,
  IconBrandMessenger,
  IconBrandMongodb,
  IconBrandWhatsapp,
  IconBucket,
  IconDatabase,
  IconDatabaseCog,
  IconMail,
  IconMessages,
  IconPlugConnected,
  type IconProps,
  IconReceipt,
  IconRobot,
  IconSend,
  IconTimeline,
  IconWebhook,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';
import type { HealthQuery } from '../../documents.gen.ts';

export type Report = HealthQuery['systemHealth'];
export type State = Report['infrastructure']['postgres'];
export type GroupName = 'infrastructure' | 'microservices';
export type ComponentName = keyof Report['infrastructure'] | keyof Report['microservices'];
export type ChannelName = keyof Report['platforms'];

type Icon = ComponentType<IconProps>;

export const ICONS: Record<ComponentName, Icon> = {
  controlPlane: IconDatabaseCog,
  postgres: IconDatabase,
  mongodb: IconBrandMongodb,
  redis: IconBolt,
  kafka: IconTimeline,
  minio: IconBucket,
  apiGateway: IconApi,
  webhookIngestor: IconWebhook,
  wsServer: IconPlugConnected,
  chatEngine: IconMessages,
  messageSender: IconSend,
  aiAgent: IconRobot,
  billingService: IconReceipt,
};

export const GROUPS: Record<GroupName, readonly ComponentName[]> = {
  infrastructure: ['controlPlane', 'postgres', 'mongodb', 'redis', 'kafka', 'minio'],
  microservices: [
    'apiGateway',
    'webhookIngestor',
    'wsServer',
    'chatEngine',
    'messageSender',
    'aiAgent',
    'billingService',
  ],
};

export const CHANNELS: Record<ChannelName, Icon> = {
  whatsapp: IconBrandWhatsapp,
  instagram: IconBrandInstagram,
  messenger: IconBrandMessenger,
  email: IconMail,
};

/** The setting that has the gateway look after a component. */
export const SETTINGS: Partial<Record<ComponentName, string>> = {
  mongodb: 'MONGODB_URL',
  redis: 'REDIS_URL',
  kafka: 'KAFKA_BROKERS',
  minio: 'MINIO_URL',
  webhookIngestor: 'WEBHOOK_INGESTOR_URL',
  wsServer: 'WS_SERVER_URL',
  chatEngine: 'CHAT_ENGINE_URL',
  messageSender: 'MESSAGE_SENDER_URL',
  aiAgent: 'AI_AGENT_URL',
  billingService: 'BILLING_SERVICE_URL',
};

/** Each component with how it stands. */
export function statesOf(report: Report): { name: ComponentName; group: GroupName; state: State }[] {
  const states = { ...report.infrastructure, ...report.microservices };
  return (Object.keys(GROUPS) as GroupName[]).flatMap((group) =>
    GROUPS[group].map((name) => ({ name, group, state: states[name] })),
  );
}
