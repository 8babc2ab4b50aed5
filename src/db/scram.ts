import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const ITERATIONS = 4096;

/** The stored form of a password (RFC 5803), so that the password itself is never in SQL text, nor in a server's log. */
export async function scramVerifier(password: string): Promise<string> {
  const salt = randomBytes(16);
  // Beside the event loop, which a millisecond of this per tenant would hold up.
  const salted = await promisify(pbkdf2)(password, salt, ITERATIONS, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${hmac('Server Key').toString('base64')}`;
}
