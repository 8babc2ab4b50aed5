/** The inputs about database servers, with the rules that both surfaces hold them to. */
import { parse } from 'pg-connection-string';
import { Field, InputType, Int } from 'type-graphql';
import { z } from 'zod';
import * as rules from '../domain/rules.ts';
import { ServerState } from '../entities/control/database-server.ts';

const isAddress = (text: string) =>
  URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol) && new URL(text).hostname !== '';

/** The driver reads these itself, from the disk of whichever process connects. */
const FILES = ['sslrootcert', 'sslcert', 'sslkey'];
/** Behind the `?` the driver takes these in the place of the address's own: another server than the one that is shown would be asked. */
const PARTS = ['host', 'port', 'user', 'password', 'database'];
const names = (text: string, parameters: string[]) => parameters.some((name) => new URL(text).searchParams.has(name));

/** As the driver will: it decodes what is percent-encoded. */
function isReadable(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

const address = rules.text
  .max(2000, { error: 'must have at most 2000 characters' })
  .refine(isAddress, {
    error: 'must be a URL such as postgresql://role@host:5432/postgres, with the password of the role',
    abort: true,
  })
  .refine((text) => !names(text, PARTS), {
    error: 'must say host, port, role, password and database before the ?, not behind it',
    abort: true,
  })
  .refine((text) => !names(text, FILES), {
    error: `must not name files (${FILES.join(', ')}): not every process has them. NODE_EXTRA_CA_CERTS makes a private CA known`,
    abort: true,
  })
  .refine(isReadable, { error: 'cannot be read: is every % in it written as %25?' })
  .meta({ examples: ['postgresql://omnistream:secret@db-1.example:5432/postgres'] });

const capacity = z
  .int({ error: 'must be a whole number' })
  .min(1, { error: 'must be at least 1' })
  .max(1_000_000, { error: 'must be at most 1000000' })
  .meta({ examples: [1000] });

@InputType({ description: 'A PostgreSQL server to be used for tenants’ databases.' })
export class RegisterDatabaseServerInput {
  @Field({ description: 'Unique; 1 to 63 of a-z, 0-9 and "-".' })
  name!: string;

  @Field({
    description:
      'Of its maintenance database, with a role that may create databases and roles. Kept sealed, and never shown again.',
  })
  url!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Of a pooler in front of it (PgBouncer, also in transaction mode), for tenants’ ordinary work. Role, password and database in it are not used.',
  })
  pooledUrl?: string | null;

  @Field(() => String, { nullable: true, description: 'Where it is: 1 to 63 of a-z, 0-9 and "-".' })
  region?: string | null;

  @Field(() => Int, { description: 'Tenants that it is to have at most, 1 to 1000000.' })
  capacity!: number;

  static readonly rules = z.strictObject({
    name: rules.shortName,
    url: address,
    pooledUrl: address.optional(),
    region: rules.shortName.optional(),
    capacity,
  });
}

@InputType({ description: 'What is to become of a database server; what is absent stays.' })
export class UpdateDatabaseServerInput {
  @Field(() => String, { nullable: true, description: 'Unique; 1 to 63 of a-z, 0-9 and "-".' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Another address, role or password of the same server. Not of the home server.',
  })
  url?: string | null;

  @Field(() => String, { nullable: true, description: 'Of a pooler in front of it; null takes it away.' })
  pooledUrl?: string | null;

  @Field(() => String, { nullable: true, description: 'Where it is; null takes it away.' })
  region?: string | null;

  @Field(() => Int, { nullable: true, description: 'Tenants that it is to have at most, 1 to 1000000.' })
  capacity?: number | null;

  @Field(() => ServerState, { nullable: true, description: 'Whether it takes new tenants.' })
  state?: ServerState | null;

  static readonly rules = z.strictObject({
    name: rules.shortName.optional(),
    url: address.optional(),
    pooledUrl: address.nullable().optional(),
    region: rules.shortName.nullable().optional(),
    capacity: capacity.optional(),
    state: z.enum(ServerState, { error: 'must be open, draining or closed' }).optional(),
  });
}
