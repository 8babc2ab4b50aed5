/**
 * What each operation demands of its caller, declared on the operation itself. One that declares nothing is refused when
 * the schema is built (build-schema.ts), so that forgetting it cannot open a door.
 */
import { Authorized, Extensions } from 'type-graphql';
import type { Context } from '../context.ts';
import { mayInTenant, type TenantPermission } from '../domain/tenant-permissions.ts';
import { AppError } from '../errors.ts';

/**
 * `public`: anyone. `signed_in`: any live token. `platform`: super admins, never under an impersonation. `tenant`: any
 * user of a tenant. The others: users of a tenant whose role has that permission.
 */
export type Permission = 'public' | 'signed_in' | 'platform' | 'tenant' | TenantPermission;

/** Declares what a query, mutation or subscription demands. */
export function Allow(permission: Permission): MethodDecorator {
  return (target, key, descriptor) => {
    Authorized<Permission>(permission)(target, key, descriptor);
    Extensions({ permission })(target, key, descriptor);
  };
}

/** @throws {AppError} unauthenticated, user_suspended, tenant_suspended or forbidden. */
export function authorize(ctx: Context, permission: Permission): void {
  if (permission === 'public') return;
  const { caller } = ctx;
  if (permission === 'signed_in') return;
  if (permission === 'platform') {
    if (caller.kind !== 'superAdmin') throw new AppError('forbidden');
    return;
  }
  if (caller.kind !== 'agent' || (permission !== 'tenant' && !mayInTenant(caller.role, permission))) {
    throw new AppError('forbidden');
  }
}
