/** Holds every argument class that declares `static rules` to them, before its resolver runs. */
import type { ValidatorFn } from 'type-graphql';
import { z } from 'zod';
import { AppError, type ErrorDetail } from '../errors.ts';

interface WithRules {
  rules?: z.ZodType;
}

/** Lists what is wrong; `field` as the client wrote it, such as `days[0].start_time`. */
export function detailsOf(issues: readonly z.core.$ZodIssue[], prefix: PropertyKey[] = []): ErrorDetail[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: fieldPath([...path, key]), message: 'is not a known field' }));
    }
    return [{ field: fieldPath(path), message: issueMessage(issue) }];
  });
}

function issueMessage(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message;
  return issue.input === undefined ? 'is required' : `must be ${WITH_ARTICLE[issue.expected] ?? `a ${issue.expected}`}`;
}

const WITH_ARTICLE: Record<string, string> = { int: 'a whole number', object: 'an object', array: 'a list' };

function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text ? `${text}.${String(key)}` : String(key);
  }, '');
}

/** @throws {AppError} validation_failed */
export function parse<T extends z.ZodType>(rules: T, value: unknown): z.output<T> {
  const parsed = rules.safeParse(value, { reportInput: true });
  if (!parsed.success) throw new AppError('validation_failed', { details: detailsOf(parsed.error.issues) });
  return parsed.data;
}

/** Looks through what makes a value optional. */
export function rulesBeneath(rules: z.ZodType): z.ZodType {
  const optional = rules instanceof z.ZodOptional || rules instanceof z.ZodNullable || rules instanceof z.ZodDefault;
  return optional ? rulesBeneath(rules.unwrap() as z.ZodType) : rules;
}

/**
 * In GraphQL a null stands for an absent value, unless the rules give it a meaning of its own, as a merge patch does.
 */
function withoutMeaninglessNulls(rules: z.ZodType | undefined, value: unknown): unknown {
  const beneath = rules && rulesBeneath(rules);
  if (beneath instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item) => withoutMeaninglessNulls(beneath.element as z.ZodType, item));
  }
  if (!(beneath instanceof z.ZodObject) || value === null || typeof value !== 'object') return value;
  const shape = beneath.shape as Record<string, z.ZodType>;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => member !== null || shape[key]?.safeParse(null).success)
      .map(([key, member]) => [key, withoutMeaninglessNulls(shape[key], member)]),
  );
}

export const validate: ValidatorFn = (value, type) => {
  const { rules } = type as WithRules;
  if (!(rules instanceof z.ZodType) || value === null || typeof value !== 'object') return;
  const given = withoutMeaninglessNulls(rules, { ...value }) as object;
  const parsed = parse(rules, given);
  const shape = (rules as Partial<z.ZodObject>).shape ?? {};
  for (const key of Object.keys(value)) if (key in shape && !(key in given)) Reflect.deleteProperty(value, key);
  // Also takes over what the rules made of it, such as a trimmed name.
  Object.assign(value, parsed);
};
