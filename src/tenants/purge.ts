/** `npm run tenants -- purge <slug>`: exit code 0 when its end is set, or called off, 1 when somebody said no, 2 when it could not be. */
import { confirmed, say } from '../command-line.ts';
import { ConfigError } from '../config.ts';
import { COUNTDOWN, cancelPurge, purgeTenant } from '../domain/offboarding/offboarding.ts';
import { argumentsOf, byCommand, onTenant } from './at-work.ts';

const USAGE = `Use: npm run tenants -- purge <slug> [--after <countdown>] [--yes]
     Sets the end of a suspended tenant. The countdown is such as 30m, 12h or 30d, which it is without; a running gateway then
     removes everything of it.
     npm run tenants -- purge <slug> --cancel     calls it off`;

const MINUTES = { m: 1, h: 60, d: 24 * 60 } as const;

/** @throws {ConfigError} */
function minutesIn(text: string): number {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const minutes = count ? Number(count) * MINUTES[unit as keyof typeof MINUTES] : Number.NaN;
  if (minutes >= COUNTDOWN.least && minutes <= COUNTDOWN.most) return minutes;
  throw new ConfigError(
    `--after is a countdown such as 30m, 12h or 30d, from ${COUNTDOWN.least}m to ${COUNTDOWN.most / MINUTES.d}d.\n${USAGE}`,
  );
}

const options = { after: { type: 'string' }, cancel: { type: 'boolean' }, yes: { type: 'boolean' } } as const;

export async function run(args: string[]): Promise<number> {
  const { slug, values } = argumentsOf(args, options, USAGE);
  const minutes = values.after === undefined ? COUNTDOWN.usual : minutesIn(values.after);
  return onTenant(slug, async (at) => {
    const { tenant, signal } = at;
    if (values.cancel) {
      await cancelPurge(byCommand(at), tenant.id);
      say(`${slug} is not removed: it stays as it is.`);
      return 0;
    }
    const question = `Remove everything of ${tenant.name} (${slug}) for good, ${values.after ?? '30d'} from now?`;
    if (!values.yes && !(await confirmed(question, signal))) {
      say('Nothing has been changed.');
      return 1;
    }
    const { purgeAt } = await purgeTenant(byCommand(at), tenant.id, tenant.slug, minutes);
    say(
      `${slug} is removed at ${new Date(purgeAt!).toISOString()}, unless that is called off: npm run tenants -- purge ${slug} --cancel`,
    );
    return 0;
  });
}
