/**
 * What variables are, as part of a key.
 *
 * @returns for each a list that is empty where it was not given: its default holds then, as it does not where it is null.
 */
export const valuesOf = (names: readonly string[], variables: Readonly<Record<string, unknown>>): unknown[][] =>
  names.map((name) => (Object.hasOwn(variables, name) ? [variables[name]] : []));
