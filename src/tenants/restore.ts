/** `npm run tenants -- restore <slug>`: exit code 0 when its database is back, 2 when it could not be, 130 when stopped. */
import { say } from '../command-line.ts';
import { unarchiveTenant } from '../domain/offboarding/offboarding.ts';
import { argumentsOf, byCommand, onTenant } from './at-work.ts';
import { followRun } from './follow-run.ts';

const USAGE = `Use: npm run tenants -- restore <slug> [--activate]
     Restores an archived tenant from its archive; with --activate it is active then, else it stays suspended.
     (npm run restore brings a tenant back from a backup.)`;

export async function run(args: string[]): Promise<number> {
  const { slug, values } = argumentsOf(args, { activate: { type: 'boolean' } } as const, USAGE);
  return onTenant(slug, async (at) => {
    await unarchiveTenant(byCommand(at), at.tenant.id, values.activate ?? false);
    await followRun(at);
    say(`${slug} is restored and ${values.activate ? 'active' : 'suspended'}.`);
    return 0;
  });
}
