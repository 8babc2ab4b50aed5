/** What graphql-js says of a value, without the value: it may be a password, or hold one. */

/**
 * @param error as graphql-js made it, perhaps wrapped.
 * @param message its sentence.
 * @returns the sentence, which still says where the value stands and what is wrong with it.
 */
export function withoutValues(error: unknown, message: string): string {
  const [reason] = sentencesBeneath(error).filter((sentence) => sentence !== message);
  const end = reason && `; ${reason}`;
  if (!end || !message.endsWith(end)) return withoutValue(message);
  return `${withoutValue(message.slice(0, -end.length)).replace(/\.$/, '')}; ${withoutValue(reason)}`;
}

function sentencesBeneath(error: unknown): string[] {
  const { originalError } = (error ?? {}) as { originalError?: Error };
  return originalError ? [originalError.message, ...sentencesBeneath(originalError)] : [];
}

const withoutValue = (sentence: string): string =>
  sentence
    .replace(/^(Variable "\$\w+" got invalid value) .*?( at "[\w.[\]]+")?$/s, '$1$2')
    .replace(/^(Expected value of type "[^"]+"), found .*$/s, '$1.')
    .replace(/^(.* cannot represent [^:]+):.*$/s, '$1.');
