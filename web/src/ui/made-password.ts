/** A password that nobody guesses, for somebody to copy, or to read and type. */

/** Without letters that are taken for others. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** The fewest that hold 128 random bits (133). */
const LENGTH = 23;

export function madePassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(256));
  // Bytes beyond a multiple of the letters would favour some of them.
  const fair = [...bytes].filter((byte) => byte < Math.floor(256 / LETTERS.length) * LETTERS.length);
  return fair
    .slice(0, LENGTH)
    .map((byte) => LETTERS[byte % LETTERS.length])
    .join('');
}
