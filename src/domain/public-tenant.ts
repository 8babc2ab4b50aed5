/** Which tenant a question is about that needs no token (contract section 3, status). */
import type { Context } from '../context.ts';
import { AppError, notFound, toAppError } from '../errors.ts';
import { slug as slugRule } from './rules.ts';

/**
 * The first that says one: the caller's credentials, the header `X-Tenant-Slug`, the argument, the host under the base
 * domain, the only active tenant where there is just one. Slugs are taken without case, as hosts are.
 *
 * @returns the tenant's id.
 * @throws {AppError} tenant_required (400), not_found for one that is unknown or not active; unauthenticated
 *   and user_suspended for bad credentials.
 */
export async function publicTenant(ctx: Context, tenant: string | null | undefined): Promise<string> {
  const found = await findTenant(ctx, tenant);
  ctx.trail.orgId = found;
  return found;
}

async function findTenant(ctx: Context, tenant: string | null | undefined): Promise<string> {
  const { directory } = ctx.services;
  const own = ownTenant(ctx);
  if (own) {
    if (await directory.isActive(own)) return own;
    throw notFound('tenant');
  }
  const slug = ctx.aboutTenant.slug || tenant || hostLabel(ctx);
  if (slug) {
    const found = await directory.bySlug(slug.toLowerCase());
    if (!found) throw notFound('tenant');
    return found;
  }
  const only = await directory.onlyOne();
  if (only) return only;
  throw new AppError('tenant_required', {
    status: 400,
    message: 'Say which tenant is meant: with the header X-Tenant-Slug, or with "tenant".',
  });
}

/**
 * A page that a browser opens may still carry the cookie of an old sign-in: it does not close what is open to all. One that
 * says whose it is, though suspended, is not answered with the hours of somebody else.
 */
function ownTenant(ctx: Context): string | undefined {
  if (ctx.credentials === 'none') return undefined;
  try {
    const { caller } = ctx;
    return caller.kind === 'agent' ? caller.orgId : undefined;
  } catch (error) {
    const { code } = toAppError(error);
    if (code === 'tenant_suspended') throw notFound('tenant');
    if (code === 'unauthenticated' && ctx.credentials === 'cookie') return undefined;
    throw error;
  }
}

/** `acme` of `acme.chat.example.com`; a name that no tenant can have, such as `www`, says nothing. */
function hostLabel({ aboutTenant: { host }, services }: Context): string | undefined {
  const { baseDomain } = services.config;
  if (!baseDomain || !host?.endsWith(`.${baseDomain}`)) return undefined;
  const [label] = host.split('.');
  return slugRule.safeParse(label).success ? label : undefined;
}
