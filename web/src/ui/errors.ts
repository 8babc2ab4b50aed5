/** What the gateway says of a mistake, as a sentence and by field. */
import i18next, { type TFunction } from 'i18next';
import type { CombinedError } from 'urql';

interface Extensions {
  code?: string;
  details?: { field: string; message: string }[];
}

/** Why a name cannot be had: completes a sentence. */
export const reasonText = (reason: string) => translated(reason);

const first = (error: CombinedError) => error.graphQLErrors[0];

/** The error's code, such as SLUG_TAKEN; undefined where the gateway could not be reached. */
export const codeOf = (error: CombinedError): string | undefined => (first(error)?.extensions as Extensions)?.code;

/** In the user's language, as far as the texts know what the gateway says. */
function translated(message: string, code?: string): string {
  const known = (key: string) =>
    i18next.t(key, { ns: 'errors', keySeparator: false, nsSeparator: false, defaultValue: '' });
  if (i18next.language === 'en') return message;
  return known(message) || (code && known(code)) || message;
}

export function sentenceOf(error: CombinedError, t: TFunction): string {
  const problem = first(error);
  if (!problem) return t('failed.unreachable', { ns: 'common' });
  const { code, details } = problem.extensions as Extensions;
  const sentence = translated(problem.message, code);
  const [detail] = details ?? [];
  return detail ? `${sentence} (${detail.field}: ${translated(detail.message)})` : sentence;
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
