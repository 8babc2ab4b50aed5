/** Passwords are kept as argon2id (RFC 9106) with OWASP's parameters: 19 MiB, two passes, one lane. */

const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Loaded with the first password: the library is native, and was 20 ms of each start. */
const argon2 = () => import('@node-rs/argon2');

/** @returns a PHC string. */
export async function hashPassword(password: string): Promise<string> {
  return (await argon2()).hash(password, PARAMETERS);
}

const zeros = (bytes: number) => Buffer.alloc(bytes).toString('base64').replace(/=+$/, '');
const { memoryCost, timeCost, parallelism } = PARAMETERS;
/** What an unknown address is checked against, so that it takes as long as a known one. */
const NOBODY = `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${zeros(16)}$${zeros(32)}`;

/** Compares in the same time whether or not there is an account. */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  const matches = await (await argon2()).verify(passwordHash ?? NOBODY, password);
  return matches && passwordHash !== undefined;
}
