/** Slugs for those who would rather not think of one. */
import { randomBytes } from 'node:crypto';
import slugify from '@sindresorhus/slugify';
import { Field, ObjectType } from 'type-graphql';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { slug as slugRule } from './rules.ts';

@ObjectType({ description: 'Whether a tenant can be made under a slug.' })
export class SlugCheck {
  @Field({ description: 'The one that was asked about.' })
  slug!: string;

  @Field({ description: 'Nobody holds it before the tenant is made: somebody else may still be quicker.' })
  available!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Completes the sentence why not: "is taken", "is a reserved word", "must have at least 3 characters".',
  })
  reason?: string;

  @Field(() => String, { nullable: true, description: 'One like it that is free, where it is not available.' })
  suggestion?: string;
}

/** Room is left for what tells it from others. */
const SLUG_LENGTH = 50;

/** Starts with a letter, whatever script the name is in. It may be short, reserved or taken. */
export function slugFrom(name: string): string {
  const slug = slugify(name, { decamelize: false }).slice(0, SLUG_LENGTH).replace(/-+$/, '');
  return /^[a-z]/.test(slug) ? slug : `org${slug && `-${slug}`}`;
}

/** The slug with what hardly any other has. */
export const withTail = (slug: string): string => `${slug}-${randomBytes(3).toString('hex')}`;

const isTaken = query<object>('slug_taken', 'select from organizations where slug = $1');

/** `acme-2`, `acme-3`, ...: the first of them that is free. */
const numbered = query<{ slug: string }>(
  'slug_numbered',
  `select n.slug from (select n, $1::text || '-' || n as slug from generate_series(2, 999) n) n
    where not exists (select from organizations o where o.slug = n.slug) order by n.n limit 1`,
);

/** A free slug made from a name: its own, or that with a number. */
export async function suggestSlug(ctx: Context, name: string): Promise<string> {
  const wish = slugFrom(name);
  if (slugRule.safeParse(wish).success && (await ctx.rows(isTaken, [wish])).length === 0) return wish;
  const [free] = await ctx.rows(numbered, [wish]);
  return free?.slug ?? withTail(wish);
}

export async function checkSlug(ctx: Context, slug: string): Promise<SlugCheck> {
  const reason = await whyNot(ctx, slug);
  if (!reason) return { slug, available: true };
  return { slug, available: false, reason, suggestion: await suggestSlug(ctx, slug) };
}

async function whyNot(ctx: Context, slug: string): Promise<string | undefined> {
  const { error } = slugRule.safeParse(slug);
  if (error) return error.issues[0]!.message;
  return (await ctx.rows(isTaken, [slug])).length > 0 ? 'is taken' : undefined;
}
