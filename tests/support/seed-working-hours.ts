/**
 * The Working Hours section of the API documentation that this product is built to, as data: each operation with the
 * example request and answer that the document shows, word for word.
 */
import type { SeedOperation } from './seed-operations.ts';

export interface SeedHoursOperation extends Omit<SeedOperation, 'method'> {
  method: 'GET' | 'PUT' | 'DELETE';
  /** What the document says that it requires; absent for the public one. */
  permission?: 'settings.manage' | 'divisions.view' | 'divisions.manage';
}

const ID = '00000000-0000-0000-0000-000000000000';
const INSTANT = '2024-08-25T15:00:00Z';

/** Global entries carry no `division_id` (contract section 1, "absent values"), although the document's example has one. */
const entry = {
  id: ID,
  division_id: ID,
  day_of_week: 0,
  start_time: '08:00:00',
  end_time: '17:00:00',
  is_active: true,
  created_at: INSTANT,
  updated_at: INSTANT,
};
const requiredOfEntry = ['id', 'day_of_week', 'start_time', 'end_time', 'is_active', 'created_at', 'updated_at'];
const days = { days: [{ day_of_week: 0, start_time: '08:00', end_time: '17:00', is_active: true }] };
const setting = { key: 'key', value: 'value', updated_at: INSTANT };

export const seedHoursOperations: SeedHoursOperation[] = [
  {
    title: 'List global working hours',
    method: 'GET',
    path: '/api/working-hours',
    permission: 'settings.manage',
    answer: [entry],
    requiredInAnswer: requiredOfEntry,
  },
  {
    title: 'Upsert global working hours',
    method: 'PUT',
    path: '/api/working-hours',
    permission: 'settings.manage',
    body: days,
    requiredInBody: ['days'],
    answer: [entry],
    requiredInAnswer: requiredOfEntry,
  },
  {
    title: 'List division working hours',
    method: 'GET',
    path: '/api/working-hours/divisions/{id}',
    permission: 'divisions.view',
    answer: { is_override: true, working_hours: [entry] },
  },
  {
    title: 'Upsert division working hours override',
    method: 'PUT',
    path: '/api/working-hours/divisions/{id}',
    permission: 'divisions.manage',
    body: days,
    requiredInBody: ['days'],
    answer: [entry],
    requiredInAnswer: requiredOfEntry,
  },
  {
    title: 'Delete division working hours override',
    method: 'DELETE',
    path: '/api/working-hours/divisions/{id}',
    permission: 'divisions.manage',
    answer: { message: 'message' },
  },
  {
    title: 'Get tenant timezone',
    method: 'GET',
    path: '/api/settings/timezone',
    permission: 'settings.manage',
    answer: setting,
    requiredInAnswer: ['key', 'value', 'updated_at'],
  },
  {
    title: 'Update tenant timezone',
    method: 'PUT',
    path: '/api/settings/timezone',
    permission: 'settings.manage',
    body: { timezone: 'Asia/Jakarta' },
    requiredInBody: ['timezone'],
    answer: setting,
    requiredInAnswer: ['key', 'value', 'updated_at'],
  },
  {
    title: 'Check working hours status (public)',
    method: 'GET',
    path: '/api/working-hours/status',
    // Not in the document: contract section 3.
    query: { tenant: false, division_id: false, at: false },
    answer: { is_working_hours: true, timezone: 'Asia/Jakarta', current_time: '14:30', next_change_at: INSTANT },
  },
];
