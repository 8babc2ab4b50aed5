/** Passwords are kept as argon2id (RFC 9106) with OWASP's parameters: 19 MiB, two passes, one lane. */
import { hash, verify } from '@node-rs/argon2';

const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** @returns a PHC string. */
export const hashPassword = (password: string): Promise<string> => hash(password, PARAMETERS);

/** What an unknown address is checked against, so that it takes as long as a known one. */
const nobody = hashPassword('nobody has this password');

/** Compares in the same time whether or not there is an account. */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  const matches = await verify(passwordHash ?? (await nobody), password);
  return matches && passwordHash !== undefined;
}
