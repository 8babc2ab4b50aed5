import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Context } from '../context.ts';
import { ComponentHealth } from '../domain/component-health.ts';
import { DatabaseServer, getDatabaseServer, listDatabaseServers } from '../domain/database-servers.ts';
import { serverHealth } from '../domain/server-health.ts';
import { type Registrar, registerServer, removeServer, updateServer } from '../domain/server-registration.ts';
import { checkPage, PageArgs } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { RegisterDatabaseServerInput, UpdateDatabaseServerInput } from '../schema/server-inputs.ts';
import { Done } from './super-admins.resolver.ts';

const registrar = (ctx: Context): Registrar => ({ ...ctx.services, em: ctx.em, source: ctx });

@Resolver(() => DatabaseServer)
export class DatabaseServersResolver {
  @Query(() => [DatabaseServer], {
    description: 'Servers that tenants’ databases are on, the home server first; all, unless `first` says otherwise.',
  })
  @Allow('platform')
  databaseServers(@Ctx() ctx: Context, @Args(() => PageArgs) page: PageArgs): Promise<DatabaseServer[]> {
    checkPage(page);
    return listDatabaseServers(ctx.services, page.first ?? null, page.after);
  }

  @Query(() => DatabaseServer, { description: 'One server that tenants’ databases are on.' })
  @Allow('platform')
  databaseServer(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<DatabaseServer> {
    return getDatabaseServer(ctx, id);
  }

  @Mutation(() => DatabaseServer, {
    description:
      'Brings a PostgreSQL server, 15 or newer, into use for tenants to come. It is looked at first; one that does not fit is refused, and nothing is left there.',
  })
  @Allow('platform')
  async registerDatabaseServer(
    @Ctx() ctx: Context,
    @Arg('input', () => RegisterDatabaseServerInput) input: RegisterDatabaseServerInput,
  ): Promise<DatabaseServer> {
    return getDatabaseServer(ctx, await registerServer(registrar(ctx), input));
  }

  @Mutation(() => DatabaseServer, {
    description: 'Changes a database server: its name, address, region, capacity, and whether it takes new tenants.',
  })
  @Allow('platform')
  async updateDatabaseServer(
    @Ctx() ctx: Context,
    @Arg('id', () => UuidScalar) id: string,
    @Arg('input', () => UpdateDatabaseServerInput) input: UpdateDatabaseServerInput,
  ): Promise<DatabaseServer> {
    return getDatabaseServer(ctx, await updateServer(registrar(ctx), id, input));
  }

  @Mutation(() => Done, { description: 'Takes a database server without tenants out of use.' })
  @Allow('platform')
  async removeDatabaseServer(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<Done> {
    return { id: await removeServer(registrar(ctx), id) };
  }

  @FieldResolver(() => ComponentHealth, { description: 'Whether it answers, as the gateway that was asked sees it.' })
  health(@Root() server: DatabaseServer, @Ctx() ctx: Context): Promise<ComponentHealth> {
    return serverHealth(ctx.services, server.id);
  }
}
