/** What the gateway says of a mistake, as a sentence and by field. */
import i18next, { type TFunction } from 'i18next';
import type { CombinedError } from 'urql';

interface Extensions {
  code?: string;
  requestId?: string;
  details?: { field: string; message: string }[];
}

/** Why something is so, such as a name that cannot be had or a server that is away: completes a sentence, or stands alone. */
export const reasonText = (reason: string) => translated(reason);

const first = (error: CombinedError) => error.graphQLErrors[0];

/** The error's code, such as SLUG_TAKEN; undefined where the gateway could not be reached. */
export const codeOf = (error: CombinedError): string | undefined => (first(error)?.extensions as Extensions)?.code;

/** The gateway speaks English: what stands in for its sentences. Undefined in English. */
const texts = () => i18next.getResourceBundle(i18next.language, 'errors') as Record<string, string> | undefined;

/** In the user's language, as far as the texts know what the gateway says. */
function translated(message: string): string {
  const known = texts() ?? {};
  return known[message] ?? filledIn(message, known) ?? message;
}

/** By a text with gaps, such as: line {{line}}: {{problem}}. What stands in a gap may be known itself. */
function filledIn(message: string, known: Readonly<Record<string, string>>): string | undefined {
  for (const [pattern, text] of Object.entries(known)) {
    if (!pattern.includes('{{')) continue;
    const found = new RegExp(`^${pattern.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(GAP, '(?<$1>.+)')}$`).exec(
      message,
    );
    if (found) return text.replace(GAP, (_, name: string) => translated(found.groups![name]!));
  }
  return undefined;
}

const GAP = /\{\{(\w+)\}\}/g;

export function sentenceOf(error: CombinedError, t: TFunction): string {
  const problem = first(error);
  if (!problem) return t('failed.unreachable', { ns: 'common' });
  const { code, details, requestId } = problem.extensions as Extensions;
  const sentence = translated(problem.message);
  const [detail] = details ?? [];
  if (detail) return `${sentence} (${detail.field}: ${translated(detail.message)})`;
  return code === 'INTERNAL_ERROR' && requestId ? `${sentence} (${requestId})` : sentence;
}

/** What completes a sentence, standing alone. */
const begun = (text: string) => text.charAt(0).toLocaleUpperCase(i18next.language) + text.slice(1);

/** By the last part of the field's path: `input.slug` is `slug`. */
export function fieldErrors(error: CombinedError | undefined): Record<string, string> {
  const details = (error && (first(error)?.extensions as Extensions)?.details) ?? [];
  return Object.fromEntries(
    details.map(({ field, message }) => [field.split('.').at(-1)!, begun(translated(message))]),
  );
}
