/**
 * Turns what a document's execution gives into a REST body: names in snake_case, enums by their values, fields
 * without a value left out. Worked out once per document, so that a request only copies.
 */
import { type DocumentNode, type GraphQLSchema, isEnumType } from 'graphql';
import type { Spelling } from '../schema/answer-builder.ts';
import { type Member, rootOf, type Shape } from '../schema/document-shape.ts';
import { toSnake } from './names.ts';

/** The same, of what is answered without being executed. */
export const restSpelling: Spelling = {
  name: toSnake,
  enumValue: ({ value }) => value,
  scalars: { JSON: withSnakeKeys },
  absent: undefined,
};

type Convert = (value: unknown) => unknown;

function converter(shape: Shape): Convert {
  if (shape.kind === 'list') {
    const item = converter(shape.item);
    return (value) => (value as unknown[]).map((one) => (one === null ? null : item(one)));
  }
  if (shape.kind === 'leaf') {
    const { type } = shape;
    if (isEnumType(type)) return (value) => type.getValue(String(value))?.value;
    return restSpelling.scalars[type.name] ?? ((value) => value);
  }
  const members = shape.members.map(({ key, shape }) => ({ key, name: toSnake(key), convert: converter(shape) }));
  return (value) => {
    const source = value as Record<string, unknown>;
    const body: Record<string, unknown> = {};
    for (const { key, name, convert } of members) {
      const member = source[key];
      if (member !== null && member !== undefined) body[name] = convert(member);
    }
    return body;
  };
}

function withSnakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSnakeKeys);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [toSnake(key), withSnakeKeys(member)]));
}

/** For the document's single root field. */
export function answerShape(schema: GraphQLSchema, document: DocumentNode): (data: Record<string, unknown>) => unknown {
  const root = rootOf(schema, document);
  const convert = converter(root.shape);
  return ({ [root.key]: value }) => bodyOf(root, value == null ? value : convert(value));
}

/** A body is an object: a single value stands in one under the name that the document gives it. */
export const bodyOf = ({ key, shape }: Member, value: unknown): unknown =>
  shape.kind === 'leaf' ? { [toSnake(key)]: value ?? undefined } : value;
