/** Where the gateway is installed, and which version it is. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname } from 'node:path';

// Sources, what is compiled of them and the bundle are not equally deep below it.
const description = findPackageJSON(import.meta.url)!;
const { version } = JSON.parse(readFileSync(description, 'utf8')) as { version: string };

/** The folder of package.json. */
export const PROJECT = dirname(description);

/** As its package says. */
export const VERSION = version;
