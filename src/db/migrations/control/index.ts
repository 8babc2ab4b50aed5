import { Control0001Initial } from './0001-initial.ts';
import { Control0002AuditChain } from './0002-audit-chain.ts';
import { Control0003Access } from './0003-access.ts';
import { Control0004Live } from './0004-live.ts';
import { Control0005Console } from './0005-console.ts';
import { Control0006SigningKeys } from './0006-signing-keys.ts';
import { Control0007DatabaseServers } from './0007-database-servers.ts';
import { Control0008TenantMoves } from './0008-tenant-moves.ts';
import { Control0009Upgrades } from './0009-upgrades.ts';
import { Control0010Offboarding } from './0010-offboarding.ts';
import { Control0012AbandonedMoves } from './0012-abandoned-moves.ts';
import { Control0013AwaitedReleases } from './0013-awaited-releases.ts';
import { Control0014KeyGenerations } from './0014-key-generations.ts';
import { Control0015LogByType } from './0015-log-by-type.ts';
import { Control0016LeftDatabases } from './0016-left-databases.ts';

/** In the order in which they are applied; never changed once released. */
export const controlMigrations = [
  Control0001Initial,
  Control0002AuditChain,
  Control0003Access,
  Control0004Live,
  Control0005Console,
  Control0006SigningKeys,
  Control0007DatabaseServers,
  Control0008TenantMoves,
  Control0009Upgrades,
  Control0010Offboarding,
  Control0012AbandonedMoves,
  Control0013AwaitedReleases,
  Control0014KeyGenerations,
  Control0015LogByType,
  Control0016LeftDatabases,
];
