/** `npm run tenants -- archive <slug>`: exit code 0 when it is archived, 1 when somebody said no, 2 when it could not be, 130 when stopped. */
import { confirmed, say } from '../command-line.ts';
import { archiveTenant } from '../domain/offboarding/offboarding.ts';
import { argumentsOf, byCommand, onTenant } from './at-work.ts';
import { followRun } from './follow-run.ts';

const USAGE = `Use: npm run tenants -- archive <slug> [--yes]
     Archives a suspended tenant: its database is written to an archive, which is read back, and then dropped.`;

export async function run(args: string[]): Promise<number> {
  const { slug, values } = argumentsOf(args, { yes: { type: 'boolean' } } as const, USAGE);
  return onTenant(slug, async (at) => {
    const question = `Archive ${at.tenant.name} (${slug}) and drop its database?`;
    if (!values.yes && !(await confirmed(question, at.signal))) {
      say('Nothing has been changed.');
      return 1;
    }
    await archiveTenant(byCommand(at), at.tenant.id);
    await followRun(at);
    say(`${slug} is archived. npm run tenants -- restore ${slug} brings it back.`);
    return 0;
  });
}
