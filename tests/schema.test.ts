import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ReflectMetadataProvider } from '@mikro-orm/decorators/legacy';
import { MikroORM } from '@mikro-orm/postgresql';
import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
} from 'graphql';
import { buildSchema, Query, Resolver } from 'type-graphql';
import { controlEntities } from '../src/entities/control/index.ts';
import { tenantEntities } from '../src/entities/tenant/index.ts';
import { buildGatewaySchema, refuseUndeclared } from '../src/schema/build-schema.ts';
import { type Actor, agent, anonymous, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { serverUrl } from './support/database.ts';
import { addUser } from './support/tenants.ts';

let app: TestApp;
let root: Actor;
let tenant: Tenant;
let schema: GraphQLSchema;

beforeAll(async () => {
  [app, schema] = await Promise.all([startApp(), buildGatewaySchema()]);
  root = await superAdmin(app);
  tenant = await provision(root);
});
afterAll(() => app?.stop());

type Field = GraphQLField<unknown, unknown>;
const operations = (): [kind: string, field: Field][] =>
  [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
    Object.values(type?.getFields() ?? {}).map((field): [string, Field] => [type!.name.toLowerCase(), field]),
  );

/** A literal that the type takes. */
function literal(type: GraphQLInputType): string {
  if (isNonNullType(type)) return literal(type.ofType);
  if (isListType(type)) return `[${literal(type.ofType)}]`;
  if (isEnumType(type)) return type.getValues()[0]!.name;
  if (isInputObjectType(type)) {
    const needed = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
    return `{ ${needed.map((field) => `${field.name}: ${literal(field.type)}`).join(', ')} }`;
  }
  const literals: Record<string, string> = {
    Int: '1',
    Float: '1',
    Boolean: 'true',
    UUID: '"00000000-0000-7000-8000-000000000000"',
    Date: '"2026-11-21"',
    DateTime: '"2026-11-21T08:00:00Z"',
  };
  return literals[type.name] ?? '"text text"';
}

/** The shortest document that asks for a field. */
function documentFor(kind: string, { name, args, type }: Field): string {
  const needed = args.filter((arg) => isNonNullType(arg.type) && arg.defaultValue === undefined);
  const given = needed.map((arg) => `${arg.name}: ${literal(arg.type)}`).join(', ');
  return `${kind} { ${name}${given && `(${given})`}${isScalarType(getNamedType(type)) ? '' : ' { __typename }'} }`;
}

/** What operations demand; all others are for super admins. */
const DEMANDS: Record<string, string> = Object.fromEntries(
  Object.entries({
    public: 'login superAdminLogin workingHoursStatus',
    signed_in: 'me',
    tenant: 'workingHoursChanges workingHoursPreview workingHoursCalendar addBusinessMinutes businessMinutesBetween',
    'settings.manage': 'workingHours updateWorkingHours timezone updateTimezone',
    'divisions.view':
      'divisions division divisionAgents divisionWorkingHours workingHoursExceptions workingHoursException',
    'divisions.manage':
      'createDivision updateDivision deleteDivision assignDivisionAgents removeDivisionAgents ' +
      'updateDivisionWorkingHours deleteDivisionWorkingHours createWorkingHoursException updateWorkingHoursException ' +
      'deleteWorkingHoursException optOutOfException optInToException holidayImportPreview importHolidays',
  }).flatMap(([permission, names]) => names.split(' ').map((name) => [name, permission])),
);
const demandOf = (name: string) => DEMANDS[name] ?? 'platform';

/** Who lacks what an operation demands. */
const REFUSED: Record<string, string[]> = {
  signed_in: [],
  tenant: ['super admin'],
  'settings.manage': ['super admin', 'supervisor', 'agent'],
  'divisions.view': ['super admin', 'agent'],
  'divisions.manage': ['super admin', 'agent'],
  platform: ['admin', 'supervisor', 'agent'],
};

describe('every operation', () => {
  const codeOf = async (by: Actor, document: string, name: string): Promise<string | undefined> => {
    const { data, errors } = await by.graphql(document);
    if (errors) expect(data?.[name] ?? null).toBeNull();
    return errors?.[0]?.extensions.code;
  };

  test('declares what it demands of its caller', () => {
    for (const [, { name, extensions }] of operations()) {
      expect([name, extensions.permission]).toEqual([name, demandOf(name)]);
    }
  });

  test('refuses strangers, and whoever lacks what it demands', async () => {
    const people: Record<string, Actor> = {
      'super admin': root,
      admin: await agent(app, tenant.adminEmail, tenant.adminPassword),
    };
    for (const role of ['supervisor', 'agent']) {
      const { email } = await addUser(app, tenant.id, { email: `${role}@schema.test`, role });
      people[role] = await agent(app, email, 'a password');
    }
    for (const [kind, field] of operations().filter(([, { name }]) => demandOf(name) !== 'public')) {
      const document = documentFor(kind, field);
      const stranger = await codeOf(anonymous(app), document, field.name);
      expect([document, stranger]).toEqual([document, 'UNAUTHENTICATED']);
      for (const who of REFUSED[demandOf(field.name)]!) {
        const code = await codeOf(people[who]!, document, field.name);
        expect([document, who, code]).toEqual([document, who, 'FORBIDDEN']);
      }
    }
  });

  test('lets in whoever has what it demands', async () => {
    const [person, supervisor, plain] = await Promise.all([
      agent(app, tenant.adminEmail, tenant.adminPassword),
      agent(app, 'supervisor@schema.test', 'a password'),
      agent(app, 'agent@schema.test', 'a password'),
    ]);
    for (const [kind, field] of operations().filter(([kind]) => kind === 'query')) {
      const demand = demandOf(field.name);
      const who: Record<string, Actor> = {
        platform: root,
        'settings.manage': person,
        'divisions.view': supervisor,
        'divisions.manage': supervisor,
      };
      const by = who[demand] ?? plain;
      const code = await codeOf(by, documentFor(kind, field), field.name);
      expect([field.name, 'FORBIDDEN', 'UNAUTHENTICATED']).not.toContain(code);
    }
  });

  test('that declares nothing is refused when the schema is built', async () => {
    @Resolver()
    class Forgetful {
      @Query(() => String)
      forgotten(): string {
        return 'open to all';
      }
    }
    const open = await buildSchema({ resolvers: [Forgetful], authChecker: () => true });
    expect(() => refuseUndeclared(open)).toThrow('Query.forgotten declares no permission');
    expect(() => refuseUndeclared(schema)).not.toThrow();
  });
});

describe('the names', () => {
  const namesOf = (type: { getFields(): object } | null | undefined) => Object.keys(type?.getFields() ?? {});

  test('are those of the contract', () => {
    expect(namesOf(schema.getQueryType())).toEqual(
      expect.arrayContaining([
        'tenants',
        'tenant',
        'tenantUsers',
        'superAdmins',
        'systemHealth',
        'me',
        'workingHours',
        'divisionWorkingHours',
        'timezone',
        'workingHoursStatus',
      ]),
    );
    expect(namesOf(schema.getMutationType())).toEqual(
      expect.arrayContaining([
        'superAdminLogin',
        'provisionTenant',
        'updateTenant',
        'suspendTenant',
        'impersonateTenant',
        'createSuperAdmin',
        'deleteSuperAdmin',
        'resetSuperAdminPassword',
        'resetTenantUserPassword',
        'suspendTenantUser',
        'activateTenantUser',
        'impersonateTenantUser',
        'retryProvisioning',
        'updateWorkingHours',
        'updateDivisionWorkingHours',
        'deleteDivisionWorkingHours',
        'updateTimezone',
      ]),
    );
    const argsOf = (name: string) =>
      operations()
        .find(([, field]) => field.name === name)![1]
        .args.map((arg) => arg.name)
        .sort();
    expect(argsOf('tenants')).toEqual(['after', 'filter', 'first']);
    expect(argsOf('tenant')).toEqual(['id']);
    expect(argsOf('tenantUsers')).toEqual(expect.arrayContaining(['search', 'tenantId']));
    expect(argsOf('divisionWorkingHours')).toEqual(['divisionId']);
    expect(argsOf('timezone')).toEqual([]);
    expect(argsOf('workingHoursStatus')).toEqual(['at', 'divisionId', 'tenant']);
    expect(argsOf('updateWorkingHours')).toEqual(['days']);
    expect(argsOf('updateDivisionWorkingHours')).toEqual(['days', 'divisionId']);
    expect(argsOf('deleteDivisionWorkingHours')).toEqual(['divisionId']);
    expect(argsOf('updateTimezone')).toEqual(['timezone']);
    const fieldsOf = (name: string) => namesOf(schema.getType(name) as never);
    expect(fieldsOf('Tenant')).toEqual(expect.arrayContaining(['usage', 'provisioning']));
    expect(fieldsOf('Provisioning')).toEqual(expect.arrayContaining(['state', 'steps']));
    expect(fieldsOf('ProvisioningStep').sort()).toEqual([
      'attempt',
      'error',
      'finishedAt',
      'name',
      'startedAt',
      'state',
    ]);
    expect(fieldsOf('PageInfo').sort()).toEqual(['endCursor', 'hasNextPage', 'hasPreviousPage', 'startCursor']);
  });

  test('are camelCase for fields and PascalCase for types', () => {
    for (const type of Object.values(schema.getTypeMap()) as GraphQLNamedType[]) {
      if (type.name.startsWith('__')) continue;
      expect(type.name).toMatch(/^[A-Z][A-Za-z]*$/);
      if (isObjectType(type) || isInputObjectType(type))
        for (const name of namesOf(type)) expect(name).toMatch(/^[a-z][A-Za-z]*$/);
      if (isEnumType(type)) for (const { name } of type.getValues()) expect(name).toMatch(/^[A-Z_]+$/);
    }
  });

  test('show no secret', () => {
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) || type === schema.getMutationType()) continue;
      for (const name of namesOf(type)) expect(name).not.toMatch(/password|secret|hash|sealed|tokenVersion/i);
    }
  });

  test('of all operations are explained', () => {
    expect(
      operations()
        .filter(([, { description }]) => !description)
        .map(([, { name }]) => name),
    ).toEqual([]);
  });
});

describe('after the migrations', () => {
  const differences = async (clientUrl: string, entities: typeof controlEntities | typeof tenantEntities) => {
    const orm = await MikroORM.init({
      clientUrl,
      entities: entities as never[],
      metadataProvider: ReflectMetadataProvider,
      schemaGenerator: { skipTables: ['mikro_orm_migrations'], ignoreSchema: ['pgboss'] },
    });
    try {
      return await orm.schema.getUpdateSchemaSQL({ wrap: false });
    } finally {
      await orm.close(true);
    }
  };

  test('the control database is what its entities say', async () => {
    expect(await differences(app.databaseUrl, controlEntities)).toBe('');
  });

  test("a tenant's database is what its entities say", async () => {
    const database = app.services.cluster.nameFor(tenant.id);
    const lines = (await differences(serverUrl(database), tenantEntities)).split('\n');
    // Entities say nothing of what counts usage.
    expect(lines.filter((line) => line && !/^drop (trigger|function) if exists/.test(line))).toEqual([]);
  });
});
