/** The API description, made from the route table, its documents, its rules and the GraphQL schema. */
import type { GraphQLSchema } from 'graphql';
import { VERSION } from '../project.ts';
import { AnswerSchemas } from './openapi/answers.ts';
import { headers, parameters, securitySchemes } from './openapi/components.ts';
import { ERROR_SCHEMA, ErrorResponses } from './openapi/errors.ts';
import { describeRoute } from './openapi/operations.ts';
import { operatorPaths } from './openapi/operators.ts';
import type { OpenApi } from './openapi/types.ts';
import { tags } from './route.ts';
import { routes } from './routes.ts';

const DESCRIPTION = `Names are \`snake_case\`; a field without a value is left out, never \`null\`; timestamps are RFC 3339 in UTC.

Lists hold everything unless they say otherwise; \`limit\` and \`after\` page them, with the next page in the \`Link\` header.

The same operations are there over GraphQL at \`/graphql\`.`;

/** OpenAPI 3.1. */
export function openApi(schema: GraphQLSchema): OpenApi {
  const answers = new AnswerSchemas();
  const errors = new ErrorResponses();
  const paths: OpenApi['paths'] = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path]![route.method.toLowerCase()] = describeRoute(schema, route, answers, errors);
  }
  Object.assign(paths, operatorPaths(errors));
  return {
    openapi: '3.1.0',
    info: {
      title: 'OmniStream CRM API',
      version: VERSION,
      description: DESCRIPTION,
    },
    servers: [{ url: '/' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes,
      schemas: { ...sorted(answers.named), Error: ERROR_SCHEMA },
      responses: sorted(errors.named),
      headers,
      parameters,
    },
  };
}

const sorted = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
