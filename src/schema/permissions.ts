/**
 * What each operation demands of its caller, declared on the operation itself. One that declares nothing is refused when
 * the schema is built (build-schema.ts), so that forgetting it cannot open a door.
 */
import { Authorized, Extensions, registerEnumType } from 'type-graphql';
import type { Context } from '../context.ts';
import { PERMISSION_DESCRIPTIONS, TenantPermission } from '../domain/permissions.ts';
import type { Caller } from '../domain/tokens.ts';
import { AppError } from '../errors.ts';
import { MOST_LAG_MS } from '../live/remembered.ts';

registerEnumType(TenantPermission, {
  name: 'Permission',
  description: 'What a role may allow. REST spells agents.manage what GraphQL spells AGENTS_MANAGE.',
  valuesConfig: Object.fromEntries(
    Object.entries(TenantPermission).map(([name, code]) => [name, { description: PERMISSION_DESCRIPTIONS[code] }]),
  ),
});

/**
 * `public`: anyone. `signed_in`: any live token or key. `platform`: super admins, never under an impersonation. `tenant`:
 * any user of a tenant. The others: users of a tenant whose role has that permission.
 */
export type Permission = 'public' | 'signed_in' | 'platform' | 'tenant' | `${TenantPermission}`;

/** What one operation demands. */
export interface Demand {
  permission: Permission;
  /** Only the person themself: no API key of theirs, and nobody who impersonates them. */
  inPerson?: true;
  /** Nobody who impersonates: what it makes would outlive their fifteen minutes. */
  unimpersonated?: true;
  /** Answered also while this process cannot know whether a token was revoked: what an operator looks at then. */
  unjudged?: true;
}

/** Declares what a query, mutation or subscription demands. */
export function Allow(permission: Permission, options: Omit<Demand, 'permission'> = {}): MethodDecorator {
  const demand: Demand = { permission, ...options };
  return (target, key, descriptor) => {
    Authorized<Demand>(demand)(target, key, descriptor);
    Extensions(demand)(target, key, descriptor);
  };
}

/**
 * @param changes whether the operation is a mutation.
 * @throws {AppError} unauthenticated, user_suspended, tenant_suspended, tenant_not_ready, forbidden, or unavailable while the tenant
 * is being moved, and while nobody can say whether the token still holds.
 */
export async function authorize(
  ctx: Context,
  { permission, inPerson, unimpersonated, unjudged }: Demand,
  changes: boolean,
): Promise<void> {
  if (permission === 'public') return;
  const caller = unjudged ? ctx.caller : await judged(ctx);
  ctx.services.lastUse.note(caller);
  if (inPerson) refuseKeys(caller);
  if (inPerson || unimpersonated) refuseImpersonators(caller);
  if (permission === 'signed_in') return;
  if (permission === 'platform') {
    if (caller.kind !== 'superAdmin') throw new AppError('forbidden');
    return;
  }
  if (caller.kind !== 'agent') throw new AppError('forbidden');
  const { permissions } = await ctx.access();
  if (permission !== 'tenant' && !permissions.has(permission as TenantPermission)) {
    throw new AppError('forbidden', { message: `This needs the permission ${permission}.` });
  }
  if (changes && caller.readOnly) {
    throw new AppError('forbidden', { message: 'This impersonation may look at everything and change nothing.' });
  }
  // Before anything is begun: whoever waits holds nothing.
  if (changes) await ctx.services.tenants.whenWritable(caller.orgId);
}

/** Who asks, by a token of which every revocation would be known here, or by a key, which the database is asked about. */
async function judged(ctx: Context): Promise<Caller> {
  const { bus } = ctx.services;
  const { caller } = ctx;
  if (bus.isCurrent(MOST_LAG_MS) || (caller.kind === 'agent' && caller.apiKey)) return caller;
  if (!(await bus.catchUp(MOST_LAG_MS))) {
    const message = 'Whether you are still signed in cannot be found out at the moment. Try again shortly.';
    throw new AppError('unavailable', { message, retryAfter: 1 });
  }
  // What was just read may have ended it.
  return ctx.caller;
}

function refuseKeys(caller: Caller): void {
  if (caller.kind !== 'agent' || !caller.apiKey) return;
  throw new AppError('forbidden', { message: 'Only a person may do this, not an API key.' });
}

function refuseImpersonators(caller: Caller): void {
  if (caller.kind !== 'agent' || !caller.impersonator) return;
  throw new AppError('forbidden', { message: 'Only the person themself may do this, not who impersonates them.' });
}
