import { z } from 'zod';
import { nowMs } from '../../clock.ts';
import * as hours from '../../domain/hours-rules.ts';
import * as rules from '../../domain/rules.ts';
import { PreviewInput, UpdateTimezoneArgs, UpdateWorkingHoursArgs } from '../../schema/hours-inputs.ts';
import * as documents from '../operations.gen.ts';
import { wholeNumber } from '../query.ts';
import type { Route } from '../route.ts';

const MINUTE = 60_000;

/** Never past the next change; an answer about now holds no longer than the minute that it tells. In milliseconds. */
function statusHolds({ local_time, next_change_at }: Record<string, unknown>, { at }: Record<string, unknown>): number {
  const told = Date.parse(local_time as string);
  const [from, ends] =
    at === undefined ? [nowMs(), told + MINUTE] : [Date.parse(at as string), Number.POSITIVE_INFINITY];
  const changes = typeof next_change_at === 'string' ? Date.parse(next_change_at) : Number.POSITIVE_INFINITY;
  return Math.min(ends, changes) - from;
}

const ofDivision = { divisionId: rules.uuid.optional() };

const documented: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path: '/api/working-hours',
    document: documents.ListWorkingHoursDocument,
    summary: 'List global working hours',
    description: 'List global (non-division) working hours for all days.',
    success: 'Array of working hours entries',
    answer: 'list',
  },
  {
    method: 'PUT',
    path: '/api/working-hours',
    document: documents.UpdateWorkingHoursDocument,
    summary: 'Upsert global working hours',
    description:
      'Create or update global working hours for specified days: replaces all entries of the days that it names and ' +
      'leaves the others. Answers all entries.',
    success: 'Updated working hours entries',
    body: UpdateWorkingHoursArgs.rules,
    errors: ['limit_reached'],
  },
  {
    method: 'GET',
    path: '/api/working-hours/divisions/{id}',
    document: documents.ListDivisionWorkingHoursDocument,
    summary: 'List division working hours',
    description:
      'List working hours for a division. Returns the division override if one exists, otherwise falls back to global hours.',
    success: 'Division working hours with override indicator',
  },
  {
    method: 'PUT',
    path: '/api/working-hours/divisions/{id}',
    document: documents.UpdateDivisionWorkingHoursDocument,
    summary: 'Upsert division working hours override',
    description: 'Create or update working hours override for a specific division. Answers all its entries.',
    success: 'Updated division working hours',
    body: UpdateWorkingHoursArgs.rules,
    errors: ['limit_reached'],
  },
  {
    method: 'DELETE',
    path: '/api/working-hours/divisions/{id}',
    document: documents.DeleteDivisionWorkingHoursDocument,
    summary: 'Delete division working hours override',
    description: 'Remove working hours override for a division (reverts to global).',
    success: 'Override removed',
    says: { message: 'Override removed' },
  },
  {
    method: 'GET',
    path: '/api/settings/timezone',
    document: documents.GetTimezoneDocument,
    summary: 'Get tenant timezone',
    description: "Get the tenant's configured timezone setting.",
    success: 'Timezone setting',
  },
  {
    method: 'PUT',
    path: '/api/settings/timezone',
    document: documents.UpdateTimezoneDocument,
    summary: 'Update tenant timezone',
    description: "Create or update the tenant's timezone setting.",
    success: 'Updated timezone setting',
    body: UpdateTimezoneArgs.rules,
  },
  {
    method: 'GET',
    path: '/api/working-hours/status',
    document: documents.GetWorkingHoursStatusDocument,
    summary: 'Check working hours status (public)',
    description:
      'Check whether the business is currently within working hours. This endpoint is public and does not require ' +
      'authentication. Its tenant, first match wins: the credentials, the header X-Tenant-Slug, the query `tenant`, the ' +
      'first label of the host under the base domain, the only active tenant. Answers come with ETag and max-age, and may ' +
      'be read by pages of any origin.',
    success: 'Current working hours status',
    query: z.object({ tenant: rules.text.max(100).optional(), ...ofDivision, at: hours.instantText.optional() }),
    shared: statusHolds,
    errors: [{ code: 'tenant_required', status: 400 }, 'not_found', 'unauthenticated', 'user_suspended'],
  },
];

const questions: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path: '/api/working-hours/changes',
    document: documents.ListWorkingHoursChangesDocument,
    summary: 'List coming openings and closings',
    success: 'Array of changes, the next one first',
    query: z.object({ ...ofDivision, at: hours.instantText.optional(), count: wholeNumber(1, 500).optional() }),
    errors: ['not_found'],
  },
  {
    method: 'POST',
    path: '/api/working-hours/preview',
    document: documents.PreviewWorkingHoursDocument,
    summary: 'Preview an unsaved schedule',
    description:
      'Its coming changes, its open hours a week, and warnings. What is left out is as it stands. Changes nothing.',
    success: 'What the schedule would mean',
    body: PreviewInput.rules,
    errors: ['not_found'],
  },
  {
    method: 'GET',
    path: '/api/working-hours/add-minutes',
    document: documents.AddBusinessMinutesDocument,
    summary: 'Add minutes of working time to an instant',
    description: 'The answer is empty when it would lie more than ten years ahead.',
    success: 'When so much working time has passed',
    query: z.object({ at: hours.instantText, minutes: wholeNumber(0, 5_256_000), ...ofDivision }),
    errors: ['not_found'],
  },
  {
    method: 'GET',
    path: '/api/working-hours/minutes-between',
    document: documents.GetBusinessMinutesBetweenDocument,
    summary: 'Count the minutes of working time between two instants',
    success: 'Minutes, to the second',
    query: z.object({ from: hours.instantText, to: hours.instantText, ...ofDivision }),
    errors: ['not_found'],
  },
  {
    method: 'GET',
    path: '/api/working-hours.ics',
    document: documents.GetWorkingHoursCalendarDocument,
    summary: 'Export working hours as a calendar',
    description: 'An iCalendar file (RFC 5545) with VTIMEZONE.',
    success: 'Calendar',
    query: z.object(ofDivision),
    media: { type: 'text/calendar', file: 'working-hours.ics' },
    errors: ['not_found'],
  },
];

const OF_ORGANIZATION = 'For the whole organization it requires settings.manage besides.';
const holidayFeed = z.strictObject({ calendar: z.string() });

const exceptions: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path: '/api/working-hours/exceptions',
    document: documents.ListWorkingHoursExceptionsDocument,
    summary: 'List holidays and special hours',
    success: 'Array of exceptions',
    query: z.object(ofDivision),
    answer: 'list',
  },
  {
    method: 'POST',
    path: '/api/working-hours/exceptions',
    document: documents.CreateWorkingHoursExceptionDocument,
    summary: 'Create a holiday or special hours',
    description: OF_ORGANIZATION,
    success: 'Created exception',
    status: 201,
    body: hours.newException,
    location: '/api/working-hours/exceptions/{id}',
    errors: ['not_found', 'limit_reached'],
  },
  {
    method: 'GET',
    path: '/api/working-hours/exceptions/{id}',
    document: documents.GetWorkingHoursExceptionDocument,
    summary: 'Get an exception',
    success: 'Exception',
  },
  {
    method: 'PATCH',
    path: '/api/working-hours/exceptions/{id}',
    document: documents.UpdateWorkingHoursExceptionDocument,
    summary: 'Update an exception',
    description: OF_ORGANIZATION,
    success: 'Updated exception',
    body: hours.exceptionPatch,
    errors: ['limit_reached'],
  },
  {
    method: 'DELETE',
    path: '/api/working-hours/exceptions/{id}',
    document: documents.DeleteWorkingHoursExceptionDocument,
    summary: 'Delete an exception',
    description: OF_ORGANIZATION,
    success: 'Deleted',
    says: { message: 'Exception deleted' },
  },
  {
    method: 'POST',
    path: '/api/working-hours/exceptions/import/preview',
    document: documents.PreviewHolidayImportDocument,
    summary: 'Preview an import of holidays',
    description:
      'What importing an iCalendar file would do, sent as JSON or as it is (text/calendar). Changes nothing.',
    success: 'What would be imported, and what not',
    query: z.object(ofDivision),
    body: holidayFeed,
    takes: 'text/calendar',
    errors: ['not_found'],
  },
  {
    method: 'POST',
    path: '/api/working-hours/exceptions/import',
    document: documents.ImportHolidaysDocument,
    summary: 'Import holidays',
    description: `Adds what is new of an iCalendar file, sent as JSON or as it is (text/calendar): all of it, or nothing. ${OF_ORGANIZATION}`,
    success: 'What was imported, and what not',
    query: z.object(ofDivision),
    body: holidayFeed,
    takes: 'text/calendar',
    errors: ['not_found', 'limit_reached'],
  },
  {
    method: 'PUT',
    path: '/api/working-hours/divisions/{division_id}/opt-outs/{exception_id}',
    document: documents.OptOutOfExceptionDocument,
    summary: 'Opt a division out of an exception',
    success: 'Exception',
    errors: ['limit_reached'],
  },
  {
    method: 'DELETE',
    path: '/api/working-hours/divisions/{division_id}/opt-outs/{exception_id}',
    document: documents.OptInToExceptionDocument,
    summary: 'Opt a division in to an exception again',
    success: 'Exception',
  },
];

export const workingHoursRoutes: Route[] = [...documented, ...questions, ...exceptions].map((row) => ({
  ...row,
  tag: 'Working Hours',
}));
