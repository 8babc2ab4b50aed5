import { Arg, Args, Ctx, Field, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import type { Context } from '../context.ts';
import * as apiKeys from '../domain/api-keys.ts';
import { TenantPermission } from '../domain/permissions.ts';
import { CreateApiKeyInput } from '../schema/access-inputs.ts';
import { checkPage, PageArgs } from '../schema/paging.ts';
import { Allow } from '../schema/permissions.ts';
import { UuidScalar } from '../schema/scalars.ts';
import { Done } from './super-admins.resolver.ts';

@ObjectType({ description: 'A key that a program sends as X-API-Key to act for the agent who made it.' })
class ApiKey {
  @Field(() => UuidScalar)
  id!: string;

  @Field({ description: "What it is for, in its maker's words." })
  name!: string;

  @Field({ description: 'How the key begins, to tell it from others by.' })
  prefix!: string;

  @Field(() => [TenantPermission], { description: "What it may do, as far as its maker's role allows it too." })
  scopes!: TenantPermission[];

  @Field(() => Date, { nullable: true, description: 'When it stops working; without it, never.' })
  expiresAt?: string | Date | null;

  @Field(() => Date, { nullable: true, description: 'True to within a minute; absent until it is used.' })
  lastUsedAt?: string | null;

  @Field(() => Date)
  createdAt!: string | Date;
}

@ObjectType({ description: 'A key that was just made.' })
class NewApiKey extends ApiKey {
  @Field({ description: 'The key itself, told in this answer only; of it a hash is stored.' })
  key!: string;
}

@Resolver()
export class ApiKeysResolver {
  @Query(() => [ApiKey], { description: 'Your own API keys, the oldest first; all, unless `first` says otherwise.' })
  @Allow('developer.access')
  apiKeys(@Ctx() ctx: Context, @Args(() => PageArgs) page: PageArgs): Promise<apiKeys.ApiKeyRow[]> {
    checkPage(page);
    return apiKeys.listApiKeys(ctx, page.first ?? null, page.after);
  }

  @Mutation(() => NewApiKey, {
    description: 'Makes an API key; it dies with you, when it expires, or when it is revoked.',
  })
  @Allow('developer.access', { inPerson: true })
  createApiKey(
    @Ctx() ctx: Context,
    @Arg('input', () => CreateApiKeyInput) input: CreateApiKeyInput,
  ): Promise<apiKeys.NewApiKeyRow> {
    return apiKeys.createApiKey(ctx, input);
  }

  @Mutation(() => Done, {
    description:
      'Revokes an API key: dead everywhere within a second. Who may manage agents may revoke anybody\u2019s.',
  })
  @Allow('developer.access', { inPerson: true })
  async revokeApiKey(@Ctx() ctx: Context, @Arg('id', () => UuidScalar) id: string): Promise<Done> {
    return { id: await apiKeys.revokeApiKey(ctx, id) };
  }
}
