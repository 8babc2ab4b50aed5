/**
 * The table of REST routes. A row names the method and path, the document that answers it, what its input may be, and
 * how the answer is spelt; there is no logic in it.
 */
import type { Route } from './route.ts';
import { activityLogRoutes } from './routes/activity-logs.ts';
import { agentRoutes } from './routes/agents.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { authRoutes } from './routes/auth.ts';
import { databaseServerRoutes } from './routes/database-servers.ts';
import { divisionRoutes } from './routes/divisions.ts';
import { exportRoutes } from './routes/exports.ts';
import { offboardingRoutes } from './routes/offboarding.ts';
import { roleRoutes } from './routes/roles.ts';
import { superAdminRoutes } from './routes/super-admin.ts';
import { tenantMoveRoutes } from './routes/tenant-moves.ts';
import { upgradeRoutes } from './routes/upgrades.ts';
import { workingHoursRoutes } from './routes/working-hours.ts';

export const routes: readonly Route[] = [
  ...authRoutes,
  ...agentRoutes,
  ...divisionRoutes,
  ...roleRoutes,
  ...apiKeyRoutes,
  ...activityLogRoutes,
  ...workingHoursRoutes,
  ...superAdminRoutes,
  ...exportRoutes,
  ...tenantMoveRoutes,
  ...upgradeRoutes,
  ...offboardingRoutes,
  ...databaseServerRoutes,
];
