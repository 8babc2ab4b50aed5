import { z } from 'zod';
import { ActivityFilterInput } from '../../schema/activity-inputs.ts';
import * as documents from '../operations.gen.ts';
import type { Route } from '../route.ts';

const rows: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path: '/api/activity-logs',
    document: documents.ListActivityLogsDocument,
    summary: 'List activity logs',
    description:
      'Who did what in the organization, and what the platform did to it, sign-ins included; newest first. This list ' +
      'grows without end and always comes in pages, of 50 unless `limit` says otherwise.',
    success: 'Array of log entries',
    query: ActivityFilterInput.rules,
    answer: 'connection',
    pageSize: 50,
  },
  {
    method: 'GET',
    path: '/api/activity-logs/export',
    document: documents.ExportActivityLogsDocument,
    summary: 'Export activity logs',
    description:
      'All that the list has under the same filters, newest first, as one file. Where something fails on the way, the ' +
      'connection breaks: a file that ends properly is complete.',
    success: 'The file: lines of CSV (RFC 4180) under a line of names, or of JSON.',
    query: ActivityFilterInput.rules.extend({
      format: z.enum(['csv', 'ndjson'], { error: 'must be csv or ndjson' }).default('csv').meta({
        description: 'In CSV, what a spreadsheet would take for a formula has an apostrophe before it.',
      }),
    }),
    export: 'activity-log',
    rateLimit: 'export',
  },
];

export const activityLogRoutes: Route[] = rows.map((row) => ({ ...row, tag: 'Activity Logs' }));
