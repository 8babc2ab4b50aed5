import { Agent } from './agent.ts';
import { Contact, Integration, Message } from './inbox.ts';
import { Role } from './role.ts';
import { Setting } from './setting.ts';
import { UsageCounter, UsageLimit } from './usage-counter.ts';
import { WorkingHours } from './working-hours.ts';

/** Every entity of a tenant's own database. */
export const tenantEntities = [
  Agent,
  Contact,
  Integration,
  Message,
  Role,
  Setting,
  UsageCounter,
  UsageLimit,
  WorkingHours,
];
