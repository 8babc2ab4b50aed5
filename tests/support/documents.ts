import { type GraphQLField, type GraphQLSchema, getNamedType, isObjectType } from 'graphql';

/** A mutation with the variables that are given, asking for the plain fields of the answer. */
export function mutationDocument({ name, args, type }: GraphQLField<unknown, unknown>, given: string[]): string {
  const used = args.filter((argument) => given.includes(argument.name));
  const answer = getNamedType(type);
  const fields = isObjectType(answer) ? Object.values(answer.getFields()) : [];
  const plain = fields.filter((field) => !isObjectType(getNamedType(field.type))).map((field) => field.name);
  const list = (items: string[]) => (items.length > 0 ? `(${items.join(', ')})` : '');
  return `mutation ${list(used.map((argument) => `$${argument.name}: ${argument.type}`))} {
    ${name}${list(used.map((argument) => `${argument.name}: $${argument.name}`))} { ${['__typename', ...plain].join(' ')} }
  }`;
}

/** The mutations there are, those for tenants' users apart from all others. */
export function mutationsOf(schema: GraphQLSchema, whose: 'tenants' | 'others'): GraphQLField<unknown, unknown>[] {
  const others = ['public', 'signed_in', 'platform'];
  return Object.values(schema.getMutationType()!.getFields()).filter(
    ({ extensions }) => others.includes(extensions.permission as string) === (whose === 'others'),
  );
}
