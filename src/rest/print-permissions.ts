/** Prints who may do what, as a page for readers; `npm run codegen` keeps it in docs/permissions.md. */
import type { GraphQLSchema } from 'graphql';
import { ALL_PERMISSIONS, PERMISSION_DESCRIPTIONS, SYSTEM_ROLES } from '../domain/permissions.ts';
import { buildGatewaySchema } from '../schema/build-schema.ts';
import { rootOf } from '../schema/document-shape.ts';
import { ACTOR_NAMES, type MatrixRow, permissionMatrix } from '../schema/permission-matrix.ts';
import { notes } from '../schema/permission-notes.ts';
import type { Demand } from '../schema/permissions.ts';
import { routes } from './routes.ts';

const INTRO = `# Who may do what

<!-- Written by npm run codegen. -->

Every operation declares what it demands of its caller, and both surfaces ask it before they look at anything else; this
page is made from those declarations, and a test tries every cell over GraphQL and over REST.
A role's permissions are judged at each request by what the role allows then, and an API key may do what its scopes and
its maker's role both allow.
Somebody who lacks a right is told 403, and what belongs to another tenant is 404, as if it did not exist.
`;

const ACTORS = `The actors: *custom role without* and *API key without* have every permission (as scopes, made by an admin) but the
demanded one, or none at all where none is demanded; *impersonation* is a super admin's of an admin; *suspended* is the live
token of an agent who was suspended; *other tenant* is an admin of another tenant who asks with the ids of this one, where
*own* means that they get what is their own and see nothing of this tenant's.
`;

const DEMANDS = `What is demanded: *public* nothing; *signed in* any live token or key; *platform* a super admin; *tenant* any user of a
tenant; else a user of a tenant whose role has the permission. *In person* refuses API keys and impersonations.
`;

const table = (header: readonly string[], rows: readonly (readonly string[])[]) =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

function permissionsTable(): string {
  const roles = Object.keys(SYSTEM_ROLES);
  const rows = ALL_PERMISSIONS.map((permission) => [
    `\`${permission}\``,
    PERMISSION_DESCRIPTIONS[permission],
    ...roles.map((role) => (SYSTEM_ROLES[role]!.includes(permission) ? 'yes' : '')),
  ]);
  return table(['permission', 'allows', ...roles], rows);
}

/** In the order of the REST routes, then those that only GraphQL has. */
async function operationsTable(schema: GraphQLSchema): Promise<string> {
  const paths = new Map<string, string[]>();
  for (const { method, path, document } of routes) {
    const { name } = rootOf(schema, document).field;
    paths.set(name, [...(paths.get(name) ?? []), `\`${method} ${path}\``]);
  }
  const order = [...paths.keys()];
  const place = ({ name }: MatrixRow) => (paths.has(name) ? order.indexOf(name) : order.length);
  const rows = (await permissionMatrix(schema)).sort((a, b) => place(a) - place(b));
  return table(
    ['operation', 'REST', 'demands', ...ACTOR_NAMES, 'notes'],
    rows.map(({ kind, name, demand, cells }) => [
      `${kind} \`${name}\``,
      paths.get(name)?.join('<br>') ?? '',
      demandText(demand),
      ...ACTOR_NAMES.map((actor) => cells[actor]!),
      notes.flatMap(({ of }, index) => (of.includes(name) ? [index + 1] : [])).join(', '),
    ]),
  );
}

function demandText({ permission, inPerson, unimpersonated }: Demand): string {
  const text = permission.includes('.') ? `\`${permission}\`` : permission.replace('_', ' ');
  if (inPerson) return `${text}, in person`;
  return unimpersonated ? `${text}, not impersonating` : text;
}

const parts = [
  INTRO,
  '## Permissions\n',
  `${permissionsTable()}\n`,
  '## Operations\n',
  ACTORS,
  DEMANDS,
  `${await operationsTable(await buildGatewaySchema())}\n`,
  'Notes:\n',
  notes.map(({ says }, index) => `${index + 1}. ${says}`).join('\n'),
];
process.stdout.write(`${parts.join('\n')}\n`);
