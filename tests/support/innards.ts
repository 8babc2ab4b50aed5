/** What no answer may give away. Apart from errors.ts: commands have no Jest. */

const here = process.cwd().replace(/[^\w/]/g, '\\$&');
const said =
  /\n\s+at |\.[jt]s:\d|node_modules|\/src\/|\bselect\b.+\bfrom\b|insert into|violates|constraint|relation "|sqlstate|econnrefused|mikro|kysely|type-graphql/;

/** A stack, SQL, a table's or a driver's name, or a path on the server. */
export const INNARDS = new RegExp(`${said.source}|${here}/`, 'i');
