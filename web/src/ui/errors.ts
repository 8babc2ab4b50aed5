/** What the gateway says of a mistake, as a sentence and by field. */
import type { TFunction } from 'i18next';
import type { CombinedError } from 'urql';

interface Extensions {
  code?: string;
  details?: { field: string; message: string }[];
}

const first = (error: CombinedError) => error.graphQLErrors[0];

/** The error's code, such as SLUG_TAKEN; undefined where the gateway could not be reached. */
export const codeOf = (error: CombinedError): string | undefined => (first(error)?.extensions as Extensions)?.code;

export function sentenceOf(error: CombinedError, t: TFunction): string {
  const problem = first(error);
  if (!problem) return t('failed.unreachable');
  const [detail] = (problem.extensions as Extensions).details ?? [];
  return detail ? `${problem.message} (${detail.field}: ${detail.message})` : problem.message;
}

/** By the last part of the field's path: `input.slug` is `slug`. */
export function fieldErrors(error: CombinedError | undefined): Record<string, string> {
  const details = (error && (first(error)?.extensions as Extensions)?.details) ?? [];
  return Object.fromEntries(details.map(({ field, message }) => [field.split('.').at(-1)!, message]));
}
