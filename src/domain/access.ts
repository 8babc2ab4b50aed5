/**
 * What each agent may do, from memory: asked on every request. A change of an agent's role, or of a role, reaches every
 * process by the event log.
 */
import { LRUCache } from 'lru-cache';
import { query } from '../db/control.ts';
import type { TenantDatabases } from '../db/tenants.ts';
import type { EventBus } from '../live/event-bus.ts';
import { Remembered } from '../live/remembered.ts';
import { permissionsOf, SYSTEM_ROLES, type TenantPermission } from './permissions.ts';

/** Tenants at one time, and agents of each; an entry is some hundred bytes. */
const REMEMBERED_TENANTS = 2000;
const REMEMBERED_AGENTS = 1000;

export interface Access {
  /** The role's name. */
  role: string;
  permissions: ReadonlySet<TenantPermission>;
}

interface RoleRow {
  name: string;
  isSystem: boolean;
  permissions: string[];
}

const roleOfAgent = query<RoleRow>(
  'role_of_agent',
  `select r.name, r.is_system as "isSystem", r.permissions
     from agents a join roles r on r.id = a.role_id where a.id = $1 and a.deleted_at is null`,
);

/** Everything that an admin may. */
export const ADMIN_ACCESS: Access = { role: 'admin', permissions: new Set(SYSTEM_ROLES.admin) };

type Agents = LRUCache<string, Promise<Access | undefined>>;

export class AccessMemory {
  readonly #tenants: TenantDatabases;
  readonly #kept: Remembered<Agents>;

  constructor(tenants: TenantDatabases, bus: EventBus) {
    this.#tenants = tenants;
    this.#kept = new Remembered(bus, REMEMBERED_TENANTS);
    bus.on('access', ({ payload }) => this.forget(payload.tenantId));
  }

  /** @returns undefined for somebody who is no agent of the tenant, or no more. */
  async of(orgId: string, agentId: string): Promise<Access | undefined> {
    const agents = await this.#kept.get(orgId, async () => new LRUCache({ max: REMEMBERED_AGENTS }));
    const kept = agents.get(agentId);
    if (kept) return kept;
    const asked = this.#ask(orgId, agentId);
    agents.set(agentId, asked);
    // What failed is asked again.
    asked.catch(() => agents.delete(agentId));
    return asked;
  }

  forget(orgId: string): void {
    this.#kept.forget(orgId);
  }

  async #ask(orgId: string, agentId: string): Promise<Access | undefined> {
    const [role] = await this.#tenants.rows(orgId, roleOfAgent, [agentId]);
    return role && { role: role.name, permissions: new Set(permissionsOf(role)) };
  }
}
