/** What is counted. */
import { IconAddressBook, IconHeadset, IconMessages } from '@tabler/icons-react';

export const METRICS = [
  { name: 'agents', key: 'AGENTS', Icon: IconHeadset, color: 'sea.6' },
  { name: 'contacts', key: 'CONTACTS', Icon: IconAddressBook, color: 'indigo.6' },
  { name: 'messages', key: 'MESSAGES', Icon: IconMessages, color: 'grape.6' },
] as const;

export type MetricName = (typeof METRICS)[number]['name'];
export type MetricKey = (typeof METRICS)[number]['key'];

/** How often what is used is looked at anew. */
export const COUNTED_EVERY_MS = 30_000;
