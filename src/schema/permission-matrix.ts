/** Who may run which operation, worked out by the same `authorize` that judges every request. */
import { type GraphQLField, type GraphQLInputType, type GraphQLSchema, getNamedType, isInputObjectType } from 'graphql';
import type { Context } from '../context.ts';
import { ALL_PERMISSIONS, SYSTEM_ROLES, type TenantPermission } from '../domain/permissions.ts';
import type { Caller } from '../domain/tokens.ts';
import { AppError, type ErrorCode, toAppError } from '../errors.ts';
import { notes } from './permission-notes.ts';
import { authorize, type Demand } from './permissions.ts';

/** Let in; refused with this status; or, for another tenant: let in to what is its own. */
export type Cell = 'yes' | '401' | '403' | '404' | 'own';

export interface MatrixRow {
  kind: 'query' | 'mutation' | 'subscription';
  name: string;
  demand: Demand;
  /** By actor. */
  cells: Record<string, Cell>;
}

/** @param who the caller, or why there is none. */
function asking(who: Caller | ErrorCode, permissions: readonly TenantPermission[] = []): Context {
  const context = {
    get caller() {
      if (typeof who === 'string') throw new AppError(who);
      return who;
    },
    access: async () => ({ role: 'any', permissions: new Set(permissions) }),
    services: { lastUse: { note() {} }, tenants: { async whenWritable() {} }, bus: { isCurrent: () => true } },
  };
  return context as unknown as Context;
}

const person = { kind: 'agent', id: 'id', email: 'email', orgId: 'org', orgSlug: 'slug', role: 'any' } as const;
const impersonated = { ...person, impersonator: { id: 'id', email: 'email' } };
const OTHER_TENANT = 'other tenant';

/** @param others all permissions but the one that the operation demands; none where it demands none. */
const ACTORS: Record<string, (others: readonly TenantPermission[]) => Context> = {
  anonymous: () => asking('unauthenticated'),
  agent: () => asking(person, SYSTEM_ROLES.agent),
  supervisor: () => asking(person, SYSTEM_ROLES.supervisor),
  admin: () => asking(person, SYSTEM_ROLES.admin),
  'custom role without': (others) => asking(person, others),
  'API key without': (others) =>
    asking({ ...person, apiKey: { id: 'id', name: 'name', scopes: new Set(others) } }, others),
  impersonation: () => asking(impersonated, SYSTEM_ROLES.admin),
  'read-only impersonation': () => asking({ ...impersonated, readOnly: true }, SYSTEM_ROLES.admin),
  'super admin': () => asking({ kind: 'superAdmin', id: 'id', email: 'email', sessionId: 'id' }),
  suspended: () => asking('user_suspended'),
  [OTHER_TENANT]: () => asking(person, SYSTEM_ROLES.admin),
};

export const ACTOR_NAMES = Object.keys(ACTORS);

/** A row for each operation, in the schema's order. */
export async function permissionMatrix(schema: GraphQLSchema): Promise<MatrixRow[]> {
  const rows: MatrixRow[] = [];
  for (const type of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      const kind = type!.name.toLowerCase() as MatrixRow['kind'];
      const demand = field.extensions as unknown as Demand;
      rows.push({ kind, name: field.name, demand, cells: await cellsOf(kind, field, demand) });
    }
  }
  return rows;
}

async function cellsOf(
  kind: MatrixRow['kind'],
  field: GraphQLField<unknown, unknown>,
  demand: Demand,
): Promise<Record<string, Cell>> {
  const isPermission = ALL_PERMISSIONS.some((permission) => permission === demand.permission);
  const others = isPermission ? ALL_PERMISSIONS.filter((permission) => permission !== demand.permission) : [];
  const cells: Record<string, Cell> = {};
  for (const [actor, context] of Object.entries(ACTORS)) {
    cells[actor] = await judged(() => authorize(context(others), demand, kind === 'mutation'));
  }
  if (cells[OTHER_TENANT] === 'yes') {
    if (field.args.some(({ type }) => holdsId(type))) cells[OTHER_TENANT] = '404';
    else if (demand.permission !== 'public') cells[OTHER_TENANT] = 'own';
  }
  return Object.assign(cells, ...notes.filter(({ of }) => of.includes(field.name)).map((note) => note.cells));
}

async function judged(attempt: () => Promise<void>): Promise<Cell> {
  try {
    await attempt();
    return 'yes';
  } catch (error) {
    return String(toAppError(error).status) as Cell;
  }
}

function holdsId(type: GraphQLInputType): boolean {
  const named = getNamedType(type);
  if (isInputObjectType(named)) return Object.values(named.getFields()).some((field) => holdsId(field.type));
  return named.name === 'UUID';
}
