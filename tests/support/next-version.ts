/** The gateway of the version after this one: a copy of the compiled one with one tenant migration more. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from './built.ts';

const MIGRATION = 'TenantNext';

export interface NextVersion {
  /** Its folder, beside `dist`: it finds packages and the console where that does. */
  build: string;
  remove(): void;
}

/** @param statements that its migration executes; they add, and take nothing away, as the rule for migrations says. */
export function makeNextVersion(statements: string): NextVersion {
  const build = mkdtempSync(join(dist, '..', '.tmp-next-version-'));
  cpSync(dist, build, { recursive: true });
  const folder = join(build, 'db', 'migrations', 'tenant');
  writeFileSync(
    join(folder, 'next.js'),
    `import { Migration } from '@mikro-orm/migrations';
     export class ${MIGRATION} extends Migration { up() { this.addSql(${JSON.stringify(statements)}); } }`,
  );
  const path = join(folder, 'index.js');
  const index = readFileSync(path, 'utf8');
  const patched = index.replace(/(tenantMigrations = \[[^\]]*?),?\s*\]/, `$1, ${MIGRATION}]`);
  if (patched === index) throw new Error(`${path} has no list of migrations`);
  writeFileSync(path, `import { ${MIGRATION} } from './next.js';\n${patched}`);
  return { build, remove: () => rmSync(build, { recursive: true, force: true }) };
}
