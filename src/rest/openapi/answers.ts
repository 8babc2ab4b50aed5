/** The schemas of answers, from the documents' selections and the GraphQL types beneath them. */
import { type GraphQLEnumType, type GraphQLLeafType, isEnumType } from 'graphql';
import { type Member, type ObjectShape, type Shape } from '../../schema/document-shape.ts';
import { toSnake } from '../names.ts';
import type { Route } from '../route.ts';
import { describe } from './descriptions.ts';
import type { Schema } from './types.ts';

const SCALARS: Readonly<Record<string, Schema>> = {
  String: { type: 'string' },
  Int: { type: 'integer' },
  Float: { type: 'number' },
  Boolean: { type: 'boolean' },
  UUID: { type: 'string', format: 'uuid' },
  DateTime: { type: 'string', format: 'date-time' },
  Date: { type: 'string', format: 'date' },
  // Of what changed, which is always an object.
  JSON: { type: 'object', additionalProperties: true },
};

/** Makes schemas, collecting those that have a name: enums, and objects selected by one fragment. */
export class AnswerSchemas {
  readonly named: Record<string, Schema> = {};

  of(shape: Shape): Schema {
    if (shape.kind === 'list') return { type: 'array', items: this.of(shape.item) };
    if (shape.kind === 'leaf') return this.#leaf(shape.type);
    const { fragment, type } = shape;
    if (!fragment) return this.#object(shape);
    const { description } = type;
    return this.#name(fragment.replace(/Fields$/, ''), { ...(description && { description }), ...this.#object(shape) });
  }

  /** What a route answers when all goes well. */
  forRoute(route: Route, root: Member): Schema {
    if (route.says) return saying(route.says);
    if (root.shape.kind === 'leaf') return this.#single(root);
    if (route.answer !== 'connection') return this.of(root.shape);
    const nodes = (root.shape as ObjectShape).members.find(({ key }) => key === 'nodes');
    return this.of(nodes!.shape);
  }

  #single(root: Member): Schema {
    const described = { ...this.#member(root), ...describe(root.field, []) };
    const name = toSnake(root.key);
    return { type: 'object', properties: { [name]: described }, ...(!root.optional && { required: [name] }) };
  }

  #object({ type, members }: ObjectShape): Schema {
    const siblings = Object.keys(type.getFields());
    const properties = members.map(
      (member) => [toSnake(member.key), { ...this.#member(member), ...describe(member.field, siblings) }] as const,
    );
    const required = members.filter(({ optional }) => !optional).map(({ key }) => toSnake(key));
    return {
      type: 'object',
      properties: Object.fromEntries(properties),
      ...(required.length > 0 && { required }),
    };
  }

  #member({ key, shape }: Member): Schema {
    const schema = this.of(shape);
    // GraphQL has no scalar for it.
    return key === 'email' && schema.type === 'string' ? { ...schema, format: 'email' } : schema;
  }

  #leaf(type: GraphQLLeafType): Schema {
    if (isEnumType(type)) return this.#name(type.name, enumeration(type));
    const schema = SCALARS[type.name];
    if (!schema) throw new Error(`The API description does not know the scalar ${type.name}: add it to SCALARS`);
    return schema;
  }

  #name(name: string, schema: Schema): Schema {
    const known = this.named[name];
    if (known && JSON.stringify(known) !== JSON.stringify(schema)) {
      throw new Error(`The API description has two schemas by the name of ${name}: rename a fragment`);
    }
    this.named[name] = schema;
    return { $ref: `#/components/schemas/${name}` };
  }
}

function enumeration(type: GraphQLEnumType): Schema {
  const values = type.getValues();
  const meanings = values
    .filter(({ description }) => description)
    .map(({ value, description }) => `- \`${value}\`: ${description}`);
  const description = [type.description, meanings.join('\n')].filter(Boolean).join('\n\n');
  return { type: 'string', enum: values.map(({ value }) => value), ...(description && { description }) };
}

function saying(says: Record<string, string>): Schema {
  const properties = Object.entries(says).map(([name, value]) => [name, { type: 'string', const: value }]);
  return { type: 'object', properties: Object.fromEntries(properties), required: Object.keys(says) };
}
