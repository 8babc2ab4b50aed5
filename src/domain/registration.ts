/** How a company signs itself up (contract section 6): it can look around at once, while its databases are being made. */

import type { Context } from '../context.ts';
import { Identity } from '../entities/control/identity.ts';
import { Organization } from '../entities/control/organization.ts';
import { toAppError } from '../errors.ts';
import { provisionTenant, type TenantRow } from './organizations.ts';
import { slug as slugRule } from './rules.ts';
import { openSession } from './sessions.ts';
import { slugFrom, withTail } from './slugs.ts';
import { LIFETIME } from './tokens.ts';

export interface Registration {
  orgName: string;
  adminEmail: string;
  adminPassword: string;
}

export interface Registered {
  token: string;
  orgId: string;
  message: string;
}

const TRIES = 8;

/**
 * Makes the organization with its first admin, signs that admin in, and queues the rest. Nobody confirms an address here, so others may
 * have taken it before its owner comes: that one is let in nevertheless.
 *
 * @throws {AppError} rate_limited.
 */
export async function register(ctx: Context, wanted: Registration): Promise<Registered> {
  await ctx.services.throttle.countRegistration(ctx.address);
  const seconds = LIFETIME.agent;
  const { token, org } = await ctx.em.transactional(async (em) => {
    const org = await provision(ctx.within(em), wanted);
    const admin = await em.findOneOrFail(Identity, { orgId: org.id });
    const { id, email, tokenVersion } = admin;
    const session = openSession(em, ctx, { subjectId: id, email, orgId: org.id, seconds });
    const caller = { id, email, orgId: org.id, orgSlug: org.slug, role: 'admin' };
    const { tokenVersion: organization } = await em.findOneOrFail(Organization, org.id);
    const versions = { account: tokenVersion, organization };
    return { org, token: ctx.services.tokens.forAgent(caller, versions, { id: session.id, seconds }) };
  });
  ctx.setCookie(token, seconds);
  return {
    token,
    orgId: org.id,
    message: `${org.name} is being set up; you are signed in already. Its short name is ${org.slug}.`,
  };
}

/** Under the name's own slug, or one like it where that is taken; not a number, by which strangers could count. */
async function provision(ctx: Context, { orgName, adminEmail, adminPassword }: Registration): Promise<TenantRow> {
  const wish = slugFrom(orgName);
  for (let attempt = 1; ; attempt++) {
    const slug = attempt === 1 && slugRule.safeParse(wish).success ? wish : withTail(wish);
    const actor = { kind: 'anonymous', email: adminEmail } as const;
    try {
      return await provisionTenant(ctx, { name: orgName, slug, adminEmail, adminPassword }, actor);
    } catch (error) {
      if (attempt === TRIES || toAppError(error).code !== 'slug_taken') throw error;
    }
  }
}
