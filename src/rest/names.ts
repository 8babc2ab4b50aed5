/** REST speaks `snake_case`, GraphQL `camelCase`; works on single names and on paths such as `days[0].startTime`. */
export const toSnake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The other way round, for single names. */
export const toCamel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
