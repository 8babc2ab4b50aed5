import { ActivityHead } from './activity-head.ts';
import { ApiKey } from './api-key.ts';
import { AuditLink, UnlinkedAuditEntry } from './audit-chain.ts';
import { AuditEntry } from './audit-entry.ts';
import { ComponentState } from './component-state.ts';
import { DatabaseServer } from './database-server.ts';
import { Event } from './event.ts';
import { HealthSample } from './health-sample.ts';
import { IdempotencyKey } from './idempotency-key.ts';
import { Identity } from './identity.ts';
import { Installation } from './installation.ts';
import { KeyGeneration } from './key-generation.ts';
import { LeftDatabase } from './left-database.ts';
import { OffboardingRun, TenantArchive } from './offboarding.ts';
import { Organization } from './organization.ts';
import { ProvisioningRun, ProvisioningStep } from './provisioning-run.ts';
import { RateLimit } from './rate-limit.ts';
import { Revocation } from './revocation.ts';
import { Session } from './session.ts';
import { SigningKey } from './signing-key.ts';
import { SuperAdmin } from './super-admin.ts';
import { TenantDatabase } from './tenant-database.ts';
import { TenantExport } from './tenant-export.ts';
import { TenantMove } from './tenant-move.ts';
import { TenantUpgrade, UpgradeRun } from './upgrade-run.ts';
import { Usage } from './usage.ts';
import { PlatformUsageDay, UsageDay } from './usage-day.ts';

/** Every entity of the control-plane database. */
export const controlEntities = [
  ApiKey,
  ActivityHead,
  AuditEntry,
  AuditLink,
  ComponentState,
  DatabaseServer,
  Event,
  HealthSample,
  IdempotencyKey,
  Identity,
  Installation,
  KeyGeneration,
  LeftDatabase,
  OffboardingRun,
  Organization,
  PlatformUsageDay,
  ProvisioningRun,
  ProvisioningStep,
  RateLimit,
  Revocation,
  Session,
  SigningKey,
  SuperAdmin,
  TenantArchive,
  TenantDatabase,
  TenantExport,
  TenantMove,
  TenantUpgrade,
  UnlinkedAuditEntry,
  UpgradeRun,
  Usage,
  UsageDay,
];
