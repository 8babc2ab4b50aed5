import { Arg, Args, Ctx, Field, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import type { Context } from '../context.ts';
import { ALL_PERMISSIONS, PERMISSION_DESCRIPTIONS, TenantPermission } from '../domain/permissions.ts';
import type { RoleFields, RoleRow } from '../domain/roles.ts';
import * as roles from '../domain/roles.ts';
import { checkPage, PageArgs } from '../schema/paging.ts';
import { CreateRoleInput, UpdateRoleInput } from '../schema/people-inputs.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { Done } from './super-admins.resolver.ts';

@ObjectType({ description: 'What those who hold it may do.' })
class Role {
  @Field(() => UuidScalar)
  id!: string;

  @Field()
  name!: string;

  @Field(() => String, { nullable: true, description: "What it is for, in the organization's words." })
  description?: string | null;

  @Field({ description: 'The same in every organization, and fixed.' })
  isSystem!: boolean;

  @Field(() => [TenantPermission], { description: 'What its holders may do.' })
  permissions!: TenantPermission[];

  @Field(() => Int, { description: 'How many agents hold it.' })
  agentCount!: number;

  @Field(() => Date)
  createdAt!: string | Date;

  @Field(() => Date)
  updatedAt!: string | Date;
}

@ObjectType({ description: 'Something that a role may allow.' })
class PermissionInfo {
  @Field(() => TenantPermission, { description: 'As roles and keys carry it.' })
  code!: TenantPermission;

  @Field({ description: 'What it allows, in a sentence.' })
  description!: string;
}

@Resolver()
export class RolesResolver {
  @Query(() => [Role], {
    description: 'The roles of your organization, the three system roles first; all, unless `first` says otherwise.',
  })
  @Allow('roles.manage')
  roles(@Ctx() ctx: Context, @Args(() => PageArgs) page: PageArgs): Promise<RoleRow[]> {
    checkPage(page);
    return roles.listRoles(ctx, page.first ?? null, page.after);
  }

  @Query(() => Role, { description: 'One role.' })
  @Allow('roles.manage')
  role(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<RoleRow> {
    return roles.getRole(ctx, id);
  }

  @Query(() => [PermissionInfo], { description: 'Everything that a role may allow.' })
  @Allow('roles.manage')
  permissions(): PermissionInfo[] {
    return ALL_PERMISSIONS.map((code) => ({ code, description: PERMISSION_DESCRIPTIONS[code] }));
  }

  @Mutation(() => Role, { description: 'Makes a role of permissions that you have yourself.' })
  @Allow('roles.manage')
  createRole(@Ctx() ctx: Context, @Arg('input', () => CreateRoleInput) input: CreateRoleInput): Promise<RoleRow> {
    return roles.createRole(ctx, input);
  }

  @Mutation(() => Role, {
    description: 'Changes a role of your own; whoever holds it may do what it then allows, within a second.',
  })
  @Allow('roles.manage')
  updateRole(
    @Ctx() ctx: Context,
    @Arg('id', () => UuidScalar) id: string,
    @Arg('input', () => UpdateRoleInput) input: UpdateRoleInput,
  ): Promise<RoleRow> {
    return roles.updateRole(ctx, id, input as Partial<RoleFields>);
  }

  @Mutation(() => Done, { description: 'Deletes a role of your own that nobody holds.' })
  @Allow('roles.manage')
  async deleteRole(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<Done> {
    return { id: await roles.deleteRole(ctx, id) };
  }
}
