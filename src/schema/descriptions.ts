/** What means the same wherever it stands, described once; what stands beside a field or an argument comes before it. */
import { type GraphQLSchema, isNonNullType, isObjectType } from 'graphql';

const ROOTS: Readonly<Record<string, string>> = {
  Query: 'What can be read.',
  Mutation: 'What can be done.',
  Subscription: 'What can be followed as it happens.',
};

const FIELDS: Readonly<Record<string, string>> = {
  id: 'A UUIDv7: ids ascend with the time of making.',
  name: 'The name that people see.',
  fullName: 'The name that people see.',
  email: 'The e-mail address of the account.',
  createdAt: 'When it was made.',
  updatedAt: 'When it was last changed.',
  expiresAt: 'When it ends by itself.',
  edges: 'The items of the page, each with its cursor.',
  node: 'The item.',
  cursor: 'Given as `after`, it makes a page start behind this item.',
  pageInfo: 'Where the page stands in its list.',
};

const ARGUMENTS: Readonly<Record<string, string>> = {
  id: 'Which one.',
  tenantId: 'Which tenant.',
  divisionId: 'Which division.',
  exceptionId: 'Which exception.',
  input: 'What it is to be like.',
  filter: 'Only what fits all that is given here.',
};

/** Where an argument may be left out. */
const OPTIONAL: Readonly<Record<string, string>> = {
  divisionId: 'Which division; without it, the organization as a whole.',
};

/** Fills in what has no description. */
export function describeCommon(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    type.description ??= ROOTS[type.name];
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      field.description ??= FIELDS[field.name];
      for (const argument of field.args) {
        argument.description ??=
          (isNonNullType(argument.type) ? undefined : OPTIONAL[argument.name]) ?? ARGUMENTS[argument.name];
      }
    }
  }
}
