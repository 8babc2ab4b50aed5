/** What must not be seen where it does not belong. */
import type { Answer, Draft, Problem } from './model.ts';
import { PASSWORD_MARK } from './model.ts';

/** Nowhere, ever: password hashes, passwords, connection strings. */
const NEVER = new RegExp(`\\$argon2|${PASSWORD_MARK}|postgres(?:ql)?://\\w+:`);
/** A JWT, an API key. */
const CREDENTIAL = /eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}|osk_[0-9a-f]{8}_[\w-]{43}/;
/** The operations that are there to give one. */
const GIVING = /login|register|token|impersonate|api-?keys?\b|createApiKey/i;

/** Shortened, so that a report is none of the places where it may be seen. */
const shown = (text: string, at: number) => `${text.slice(Math.max(at - 60, 0), at + 12)}…`;

export function secretsInLog(line: string, secrets: readonly string[]): Problem | undefined {
  const at = Math.max(line.search(NEVER), line.search(CREDENTIAL), ...secrets.map((secret) => line.indexOf(secret)));
  return at < 0 ? undefined : { oracle: 'no secret in the log', detail: shown(line, at) };
}

export function secretsInAnswer(
  draft: Draft,
  { text, status }: Answer,
  secrets: readonly string[],
): Problem | undefined {
  const never = Math.max(text.search(NEVER), ...secrets.map((secret) => text.indexOf(secret)));
  const given = GIVING.test(draft.operation) && status < 400 ? -1 : text.search(CREDENTIAL);
  const at = Math.max(never, given);
  return at < 0 ? undefined : { oracle: 'no secret in an answer', detail: shown(text, at) };
}
