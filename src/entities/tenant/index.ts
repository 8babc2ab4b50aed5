import { ActivityLink, UnlinkedActivity } from './activity-chain.ts';
import { ActivityEntry } from './activity-entry.ts';
import { Agent } from './agent.ts';
import { Division, DivisionAgent } from './division.ts';
import { Contact, Integration, Message } from './inbox.ts';
import { Role } from './role.ts';
import { ScheduleVersion } from './schedule-version.ts';
import { Setting } from './setting.ts';
import { UsageCounter, UsageLimit } from './usage-counter.ts';
import { WorkingHours } from './working-hours.ts';
import { ExceptionOptOut, WorkingHoursException } from './working-hours-exception.ts';

/** Every entity of a tenant's own database. */
export const tenantEntities = [
  ActivityEntry,
  ActivityLink,
  Agent,
  Contact,
  Division,
  DivisionAgent,
  ExceptionOptOut,
  Integration,
  Message,
  Role,
  ScheduleVersion,
  Setting,
  UnlinkedActivity,
  UsageCounter,
  UsageLimit,
  WorkingHours,
  WorkingHoursException,
];
