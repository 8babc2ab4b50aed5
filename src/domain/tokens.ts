/** Bearer tokens: JWT (RFC 7519), HS256, with the acting party of an impersonation in `act` (RFC 8693 section 4.1). */
import { createHash, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { nowMs } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Revocations } from './revocations.ts';
import type { SigningKeys } from './signing-keys.ts';
import { type Claims, claimsOf, PLATFORM, type PlatformClaims, TENANT, type TenantClaims } from './token-claims.ts';

const ISSUER = 'omnistream';

/** No leeway is given: all processes go by one clock. */
const secondsNow = () => Math.floor(nowMs() / 1000);

/** Seconds. */
export const LIFETIME = { superAdmin: 8 * 3600, agent: 24 * 3600, impersonation: 15 * 60 } as const;
/** How long fresh tokens may follow one signing in, in seconds. */
export const LONGEST_SESSION = 7 * 86_400;

/** A super admin behind an impersonation. */
export interface Impersonator {
  id: string;
  email: string;
}

/** Who a token speaks for. */
export type Caller =
  | { kind: 'superAdmin'; id: string; email: string; sessionId: string }
  | {
      kind: 'agent';
      id: string;
      email: string;
      orgId: string;
      orgSlug: string;
      /** As of the sign-in; what it allows now is asked of AccessMemory. */
      role: string;
      impersonator?: Impersonator;
      /** An impersonation that changes nothing. */
      readOnly?: boolean;
      /** Absent for an API key. */
      sessionId?: string;
      /** The key that speaks for this agent, and what it may do at most. */
      apiKey?: { id: string; name: string; scopes: ReadonlySet<string> };
    };

/** What is added to the claims of every token that is made. */
type Added = 'iss' | 'aud' | 'iat' | 'exp' | 'jti';

interface Verified {
  caller: Caller;
  claims: Claims;
}

const emptyMemory = () => new LRUCache<string, Verified>({ max: 10_000 });

/** Whom a tenant token speaks for. */
export type TokenSubject = Pick<Extract<Caller, { kind: 'agent' }>, 'id' | 'email' | 'orgId' | 'orgSlug' | 'role'>;

/** What a token says of its session. */
export interface TokenSession {
  id: string;
  /** Until the token ends. */
  seconds: number;
  readOnly?: boolean;
}

/** The versions that a tenant token is made under. */
export interface AgentVersions {
  account: number;
  organization: number;
}

export class Tokens {
  readonly #keys: SigningKeys;
  readonly #revocations: Revocations;
  /** By SHA-256 of the token: verifying costs 30 microseconds, looking up 1.5. Holds no token. */
  #verified = emptyMemory();

  constructor(keys: SigningKeys, revocations: Revocations) {
    this.#keys = keys;
    this.#revocations = revocations;
  }

  #sign(audience: typeof PLATFORM, seconds: number, claims: Omit<PlatformClaims, Added>): string;
  #sign(audience: typeof TENANT, seconds: number, claims: Omit<TenantClaims, Added>): string;
  #sign(audience: string, seconds: number, claims: object): string {
    const { kid, key } = this.#keys.current;
    return jwt.sign({ ...claims, jti: randomUUID(), iat: secondsNow() }, key, {
      algorithm: 'HS256',
      ...(kid && { keyid: kid }),
      issuer: ISSUER,
      audience,
      expiresIn: seconds,
    });
  }

  /** For eight hours. */
  forSuperAdmin(admin: { id: string; email: string; tokenVersion: number }, sessionId: string): string {
    const { id, email, tokenVersion } = admin;
    return this.#sign(PLATFORM, LIFETIME.superAdmin, { sub: id, email, ver: tokenVersion, sid: sessionId });
  }

  forAgent(
    agent: TokenSubject,
    versions: AgentVersions,
    session: TokenSession,
    impersonator?: Impersonator & { tokenVersion: number },
  ): string {
    return this.#sign(TENANT, session.seconds, {
      sub: agent.id,
      email: agent.email,
      sid: session.id,
      ver: versions.account,
      org: agent.orgId,
      slug: agent.orgSlug,
      role: agent.role,
      orgVer: versions.organization,
      ...(session.readOnly && { ro: true }),
      ...(impersonator && { act: { sub: impersonator.id, email: impersonator.email, ver: impersonator.tokenVersion } }),
    });
  }

  /**
   * Whom a token speaks for, judged anew on each call. Finding out which token it is is most of a look, and is done once:
   * sockets are looked at twice a second (2,000 of them 3.1 ms, now 0.1).
   *
   * @throws {AppError} unauthenticated, tenant_suspended or user_suspended; so does what it returns.
   */
  judgeOf(token: string): () => Caller {
    let [memory, verified] = [this.#verified, this.#find(token)];
    return () => {
      if (memory !== this.#verified) [verified, memory] = [this.#find(token), this.#verified];
      const { claims, caller } = verified;
      if (claims.exp * 1000 <= nowMs()) throw new AppError('unauthenticated');
      this.#refuseRevoked(claims);
      return caller;
    };
  }

  /** A token that was verified may be of a key that has ended. */
  forget(): void {
    this.#verified = emptyMemory();
  }

  #find(token: string): Verified {
    const digest = createHash('sha256').update(token).digest('base64');
    let verified = this.#verified.get(digest);
    if (!verified) {
      verified = this.#check(token);
      this.#verified.set(digest, verified);
    }
    return verified;
  }

  #check(token: string): Verified {
    const key = this.#keys.find(kidOf(token));
    if (!key) throw new AppError('unauthenticated');
    let claims: Claims;
    try {
      claims = claimsOf(
        jwt.verify(token, key, {
          algorithms: ['HS256'],
          issuer: ISSUER,
          audience: [PLATFORM, TENANT],
          clockTimestamp: secondsNow(),
          complete: true,
        }),
      );
    } catch {
      throw new AppError('unauthenticated');
    }
    return { claims, caller: claims.aud === PLATFORM ? platformCaller(claims) : tenantCaller(claims) };
  }

  #refuseRevoked(claims: Claims): void {
    const { sub, ver, sid, jti } = claims;
    const tenant = claims.aud === TENANT ? claims : undefined;
    const reason =
      this.#revocations.reason(sid ?? jti, 0) ||
      (tenant && this.#revocations.reason(tenant.org, tenant.orgVer)) ||
      this.#revocations.reason(sub, ver) ||
      (tenant?.act && this.#revocations.reason(tenant.act.sub, tenant.act.ver));
    if (!reason) return;
    throw new AppError(reason === 'tenant_suspended' || reason === 'user_suspended' ? reason : 'unauthenticated');
  }
}

/** The name of the key that a token says it is signed with. Nothing else of its header is believed. */
function kidOf(token: string): string | undefined {
  try {
    const { kid } = JSON.parse(Buffer.from(token.split('.', 1)[0]!, 'base64url').toString());
    return kid === undefined ? undefined : String(kid);
  } catch {
    return undefined;
  }
}

function platformCaller({ sub, email, sid, jti }: PlatformClaims): Caller {
  return { kind: 'superAdmin', id: sub, email, sessionId: sid ?? jti };
}

function tenantCaller({ sub, email, org, slug, role, act, sid, jti, ro }: TenantClaims): Caller {
  return {
    kind: 'agent',
    id: sub,
    email,
    orgId: org,
    orgSlug: slug,
    role,
    sessionId: sid ?? jti,
    ...(ro && { readOnly: true }),
    ...(act && { impersonator: { id: act.sub, email: act.email } }),
  };
}
