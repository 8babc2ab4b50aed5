/** What no answer may give away. Apart from errors.ts: commands have no Jest. */

/** A stack, SQL, a table's or a driver's name, or a path on the server. */
export const INNARDS =
  /\n\s+at |\.[jt]s:\d|node_modules|\/work\/|\/src\/|\bselect\b.+\bfrom\b|insert into|violates|constraint|relation "|sqlstate|econnrefused|mikro|kysely|type-graphql/i;
