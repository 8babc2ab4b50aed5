/** Checks REST input by the same rules as GraphQL's, in the spelling of REST. */
import { z } from 'zod';
import { AppError, type ErrorDetail } from '../errors.ts';
import { detailsOf, rulesBeneath } from '../schema/validate.ts';
import { toSnake } from './names.ts';

type Names = Map<string, { key: string; rule: z.ZodType }>;
const names = new WeakMap<z.ZodObject, Names>();

/** What the fields of an object are called in REST. Kept: working it out for each request costs a twentieth of a small one. */
function namesOf(object: z.ZodObject): Names {
  let found = names.get(object);
  if (!found) {
    const fields = Object.entries(object.shape as Record<string, z.ZodType>);
    found = new Map(fields.map(([key, rule]) => [toSnake(key), { key, rule }]));
    names.set(object, found);
  }
  return found;
}

function renamed(rules: z.ZodType, value: unknown, path: string, unknown: ErrorDetail[]): unknown {
  const beneath = rulesBeneath(rules);
  if (beneath instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item, index) => renamed(beneath.element as z.ZodType, item, `${path}[${index}]`, unknown));
  }
  const object = beneath instanceof z.ZodObject ? beneath : undefined;
  if (!object || value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const byRestName = namesOf(object);
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const known = byRestName.get(name);
    const field = path ? `${path}.${name}` : name;
    if (known) result[known.key] = renamed(known.rule, member, field, unknown);
    else unknown.push({ field, message: 'is not a known field' });
  }
  return result;
}

/**
 * @returns the value in GraphQL's spelling.
 * @throws {AppError} validation_failed, its fields in REST's spelling.
 */
export function checkRest(rules: z.ZodType, value: unknown): Record<string, unknown> {
  const unknown: ErrorDetail[] = [];
  const parsed = rules.safeParse(renamed(rules, value, '', unknown), { reportInput: true });
  const wrong = parsed.success ? [] : detailsOf(parsed.error.issues).map(inRest);
  const details = [...unknown, ...wrong];
  if (details.length > 0) throw new AppError('validation_failed', { details });
  return parsed.data as Record<string, unknown>;
}

/** A detail whose field is spelt as REST spells it. */
export const inRest = ({ field, message }: ErrorDetail): ErrorDetail => ({ field: toSnake(field) || 'body', message });
