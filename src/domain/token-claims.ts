/** What a token of ours says. Its signature says that we made it; this, that we made it as it is now: all else relies on the types. */
import { z } from 'zod';
import { uuid } from './rules.ts';

export const PLATFORM = 'omnistream:platform';
export const TENANT = 'omnistream:tenant';

const something = z.string().min(1);
const version = z.int();

const everyToken = z.object({
  iss: something,
  sub: uuid,
  iat: z.number(),
  /** A token without an end is not ours, whoever signed it. */
  exp: z.number(),
  jti: uuid,
  email: something,
  /** The session; tokens from before there were sessions have none. */
  sid: uuid.optional(),
  /** The subject's token version. */
  ver: version,
});

/** Others may be in it, of a newer version of the gateway. */
const claims = z.discriminatedUnion('aud', [
  everyToken.extend({ aud: z.literal(PLATFORM) }),
  everyToken.extend({
    aud: z.literal(TENANT),
    org: uuid,
    slug: something,
    role: something,
    /** The organization's token version. */
    orgVer: version,
    /** Read only. */
    ro: z.literal(true).optional(),
    act: z.object({ sub: uuid, email: something, ver: version }).optional(),
  }),
]);

export type Claims = z.infer<typeof claims>;
export type PlatformClaims = Extract<Claims, { aud: typeof PLATFORM }>;
export type TenantClaims = Extract<Claims, { aud: typeof TENANT }>;

const header = z.object({ typ: z.literal('JWT'), kid: z.string().optional() });

/** @param token as it was verified. @throws {z.ZodError} for one that is none of ours. */
export function claimsOf(token: { header: unknown; payload: unknown }): Claims {
  header.parse(token.header);
  return claims.parse(token.payload);
}
