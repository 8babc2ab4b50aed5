/**
 * `npm run doctor`: exit code 0 when nothing is wrong, 1 with findings, 2 when it could not look. Changes nothing.
 * `npm run doctor -- --zone-data <folder>` also says what that zone data would move.
 */
import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { runCommand, say, withInstallation } from './command-line.ts';
import { ConfigError, readConfig } from './config.ts';
import { type Diagnosis, examine } from './domain/doctor.ts';

function report({ findings, notes, counts }: Diagnosis): void {
  const { tenants, active, suspended, underWay, databases, roles } = counts;
  const looked = `${tenants} tenants (${active} active, ${suspended} suspended, ${underWay} being made), ${databases} databases, ${roles} roles`;
  for (const { kind, problem, remedy } of findings) say(`${kind}: ${problem} -> ${remedy}`);
  for (const note of notes) say(`note: ${note}`);
  say(findings.length === 0 ? `nothing wrong: ${looked}` : `${findings.length} findings: ${looked}`);
}

/** @throws {ConfigError} when the command line cannot be used. */
async function zoneDataFolder(): Promise<string | undefined> {
  const usage = 'Use: npm run doctor [-- --zone-data <folder of compiled time zones, such as /usr/share/zoneinfo>]';
  let folder: string | undefined;
  try {
    folder = parseArgs({ options: { 'zone-data': { type: 'string' } } }).values['zone-data'];
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${usage}`);
  }
  if (folder !== undefined && !(await stat(folder).catch(() => undefined))?.isDirectory()) {
    throw new ConfigError(`${folder} is no folder.\n${usage}`);
  }
  return folder;
}

await runCommand(async () => {
  const config = readConfig(process.env);
  const zoneData = await zoneDataFolder();
  const diagnosis = await withInstallation(config, (found) => examine({ ...found, zoneData }));
  report(diagnosis);
  return diagnosis.findings.length === 0 ? 0 : 1;
});
