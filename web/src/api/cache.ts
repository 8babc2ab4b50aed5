/** How answers are kept: whatever has an id once for all screens, so that an event changes every list that shows it. */
import type { CacheExchangeOpts } from '@urql/exchange-graphcache';

const whole = () => null;

/** As the console asks for it: with the name and all limits, or with a status. */
interface TenantChange {
  name: string;
  limits: Record<'maxAgents' | 'maxContacts' | 'maxMessagesMonth', number | null>;
  status?: string;
}

export const cacheRules: CacheExchangeOpts = {
  keys: {
    // Parts of what holds them, or answers that are replaced as a whole.
    AffectedTenant: whole,
    AffectedTenants: whole,
    AgentDivision: whole,
    AuditEvent: whole,
    AuditLogConnection: whole,
    AuditLogEdge: whole,
    ComponentHealth: whole,
    ComponentTimeline: whole,
    DatabaseServerHealth: whole,
    DivisionWorkingHours: whole,
    ExportFile: whole,
    HealthBucket: whole,
    HealthPoint: whole,
    HolidayImport: whole,
    Hours: whole,
    ImportedHoliday: whole,
    ImpersonatorInfo: whole,
    InfrastructureHealth: whole,
    MicroservicesHealth: whole,
    MoveProgress: whole,
    MoveStep: whole,
    Offboarding: whole,
    PageInfo: whole,
    PlannedMigration: whole,
    PlatformHealth: whole,
    PlatformsHealth: whole,
    Provisioning: whole,
    ProvisioningStep: whole,
    Setting: whole,
    SkippedEvent: whole,
    SlugCheck: whole,
    SystemHealth: whole,
    SystemHealthEvent: whole,
    TenantConnection: whole,
    TenantCounts: whole,
    TenantEdge: whole,
    TenantEvent: whole,
    TenantLimits: whole,
    TenantMove: whole,
    TenantMoveEvent: whole,
    TenantProvisioningEvent: whole,
    TenantUpgrade: whole,
    UpgradeEvent: whole,
    UpgradePlan: whole,
    UpgradeRunConnection: whole,
    UsageDay: whole,
    UsageStanding: whole,
    // A save gives ids to other entries: what stands is read as a whole.
    WorkingHours: whole,
    WorkingHoursChange: whole,
    WorkingHoursPreview: whole,
    WorkingHoursRule: whole,
    WorkingHoursStatus: whole,
    WorkingHoursStatusEvent: whole,
    WorkingHoursWarning: whole,
  },
  // Seen before it is answered, and taken back if it is refused. What shuts somebody out waits for the answer.
  optimistic: {
    updateTenant({ id, input }) {
      const { name, limits, status } = input as TenantChange;
      if (status) return null;
      return { __typename: 'Tenant', id: id as string, name, limits: { __typename: 'TenantLimits', ...limits } };
    },
  },
};
