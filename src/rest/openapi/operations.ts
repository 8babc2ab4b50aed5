/** The description of one route. */
import type { GraphQLSchema } from 'graphql';
import type { Permission } from '../../schema/permissions.ts';
import { operationOf, rootOf } from '../document-shape.ts';
import { exportFormats } from '../export.ts';
import type { Route } from '../route.ts';
import type { AnswerSchemas } from './answers.ts';
import { codesOf, type ErrorResponses } from './errors.ts';
import { parametersOf, requestBodyOf } from './inputs.ts';
import { json, type Operation, type Reference } from './types.ts';

const DEMANDS: Record<Permission, string | undefined> = {
  public: undefined,
  signed_in: 'Requires a signed-in caller.',
  platform: 'Requires super-admin auth.',
  tenant: "Requires a tenant's user.",
  'settings.manage': 'Requires settings.manage permission.',
  'divisions.view': 'Requires divisions.view permission.',
  'divisions.manage': 'Requires divisions.manage permission.',
  'logs.view': 'Requires logs.view permission.',
};

const exportedFile = Object.fromEntries(
  Object.values(exportFormats).map(({ type }) => [type.split(';', 1)[0]!, { schema: { type: 'string' } }]),
);

const header = (name: string): Reference => ({ $ref: `#/components/headers/${name}` });

export function describeRoute(
  schema: GraphQLSchema,
  route: Route,
  answers: AnswerSchemas,
  errors: ErrorResponses,
): Operation {
  const root = rootOf(schema, route.document);
  const permission = root.field.extensions.permission as Permission;
  const parameters = parametersOf(schema, route);
  const requestBody = requestBodyOf(schema, route);
  const description = [route.description, DEMANDS[permission]].filter(Boolean).join(' ');
  const repeatable = route.method === 'POST';
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(description && { description }),
    tags: [route.tag],
    security: permission === 'public' ? [] : [{ bearer: [] }, { cookie: [] }],
    parameters: [...parameters, ...(repeatable ? [{ $ref: '#/components/parameters/Idempotency-Key' }] : [])],
    ...(requestBody && { requestBody }),
    responses: {
      [route.status ?? 200]: {
        description: route.success,
        headers: {
          'X-Request-Id': header('X-Request-Id'),
          ...(route.location && { Location: header('Location') }),
          ...(route.answer && { Link: header('Link') }),
          ...(route.export && { 'Content-Disposition': header('Content-Disposition') }),
          ...(repeatable && { 'Idempotent-Replayed': header('Idempotent-Replayed') }),
        },
        content: route.export ? exportedFile : json(answers.forRoute(route, root)),
      },
      ...errors.of(codesOf(route, permission, parameters.length > 0)),
    },
  };
}

function operationId({ document }: Route): string {
  const name = operationOf(document).name!.value;
  return name.charAt(0).toLowerCase() + name.slice(1);
}
