import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ReflectMetadataProvider } from '@mikro-orm/decorators/legacy';
import { MikroORM } from '@mikro-orm/postgresql';
import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isObjectType,
} from 'graphql';
import { buildSchema, Query, Resolver } from 'type-graphql';
import { controlEntities } from '../src/entities/control/index.ts';
import { tenantEntities } from '../src/entities/tenant/index.ts';
import { buildGatewaySchema, refuseUndeclared } from '../src/schema/build-schema.ts';
import { provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { serverUrl } from './support/database.ts';

let app: TestApp;
let tenant: Tenant;
let schema: GraphQLSchema;

beforeAll(async () => {
  [app, schema] = await Promise.all([startApp(), buildGatewaySchema()]);
  tenant = await provision(await superAdmin(app));
});
afterAll(() => app?.stop());

type Field = GraphQLField<unknown, unknown>;
const operations = (): Field[] =>
  [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
    Object.values(type?.getFields() ?? {}),
  );

describe('an operation', () => {
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
        .find((field) => field.name === name)!
        .args.map((arg) => arg.name)
        .sort();
    expect(argsOf('tenants')).toEqual(['after', 'filter', 'first', 'order']);
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

  test('are all explained: of types, fields, arguments, inputs and values', () => {
    const silent: string[] = [];
    const look = (name: string, { description }: { description?: string | null }) => {
      if (!description) silent.push(name);
    };
    for (const type of Object.values(schema.getTypeMap())) {
      if (type.name.startsWith('__')) continue;
      look(type.name, type);
      if (isEnumType(type)) for (const value of type.getValues()) look(`${type.name}.${value.name}`, value);
      if (!isObjectType(type) && !isInputObjectType(type)) continue;
      for (const field of Object.values(type.getFields())) {
        look(`${type.name}.${field.name}`, field);
        if (!('args' in field)) continue;
        for (const argument of field.args) look(`${type.name}.${field.name}(${argument.name})`, argument);
      }
    }
    expect(silent).toEqual([]);
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

  // Entities say nothing of what counts usage and queues entries for their chain.
  const withoutTriggers = (statements: string) =>
    statements.split('\n').filter((line) => line && !/^drop (trigger|function) if exists/.test(line));

  test('the control database is what its entities say', async () => {
    expect(withoutTriggers(await differences(app.databaseUrl, controlEntities))).toEqual([]);
  });

  test("a tenant's database is what its entities say", async () => {
    const database = app.services.servers.home.nameFor(tenant.id);
    expect(withoutTriggers(await differences(serverUrl(database), tenantEntities))).toEqual([]);
  });
});
