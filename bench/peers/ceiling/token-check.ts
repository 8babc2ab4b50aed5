/** The ceiling's token check: verified once with a key object, then known by its SHA-256 until it ends. */
import { createHash } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { Keys } from '../../../src/db/keys.ts';

export interface Claims {
  sub: string;
  email: string;
  aud: string;
  /** Seconds since the epoch. */
  exp: number;
}

/** @returns what gives the claims of a super admin's token, and undefined for what is none. */
export function tokenCheck(jwtSecret: string): (authorization: string | undefined) => Claims | undefined {
  const key = new Keys(jwtSecret).signing;
  const verified = new LRUCache<string, Claims>({ max: 10_000 });
  return (authorization) => {
    if (!authorization?.startsWith('Bearer ')) return undefined;
    const token = authorization.slice(7);
    const digest = createHash('sha256').update(token).digest('base64');
    let claims = verified.get(digest);
    if (!claims) {
      try {
        claims = jwt.verify(token, key, {
          algorithms: ['HS256'],
          audience: 'omnistream:platform',
        }) as unknown as Claims;
      } catch {
        return undefined;
      }
      verified.set(digest, claims);
    }
    return claims.exp * 1000 > Date.now() ? claims : undefined;
  };
}
