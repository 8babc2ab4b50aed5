/** The description of one route. */
import type { GraphQLSchema } from 'graphql';
import { operationOf, rootOf } from '../../schema/document-shape.ts';
import type { Demand, Permission } from '../../schema/permissions.ts';
import { exportFormats } from '../export.ts';
import type { Route } from '../route.ts';
import type { AnswerSchemas } from './answers.ts';
import { codesOf, type ErrorResponses } from './errors.ts';
import { parametersOf, requestBodyOf } from './inputs.ts';
import { json, type Operation, type Reference, type Response, type Schema } from './types.ts';

const DEMANDS: Partial<Record<Permission, string>> = {
  signed_in: 'Requires a signed-in caller.',
  platform: 'Requires super-admin auth.',
  tenant: "Requires a tenant's user.",
};

function describeDemand({ permission, inPerson, unimpersonated }: Demand): string | undefined {
  if (permission === 'public') return undefined;
  const demand = DEMANDS[permission] ?? `Requires ${permission} permission.`;
  if (inPerson) return `${demand} Neither an API key nor an impersonation will do.`;
  return unimpersonated ? `${demand} An impersonation will not do.` : demand;
}

/** What may come along, any of it; nothing has to where anyone may ask. */
function securityOf({ permission, inPerson }: Demand): Record<string, never[]>[] {
  if (permission === 'public') return [];
  const byKey = permission !== 'platform' && !inPerson;
  return [{ bearer: [] }, { cookie: [] }, ...(byKey ? [{ apiKey: [] }] : [])];
}

const exportedFile = Object.fromEntries(
  Object.values(exportFormats).map(({ type }) => [type.split(';', 1)[0]!, { schema: { type: 'string' } }]),
);

/** What a download sends. */
const downloaded = Object.fromEntries(
  ['application/gzip', 'application/x-tar'].map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
);

const header = (name: string): Reference => ({ $ref: `#/components/headers/${name}` });

export function describeRoute(
  schema: GraphQLSchema,
  route: Route,
  answers: AnswerSchemas,
  errors: ErrorResponses,
): Operation {
  const root = rootOf(schema, route.document);
  const demand = root.field.extensions as unknown as Demand;
  const parameters = parametersOf(schema, route);
  const requestBody = requestBodyOf(schema, route);
  const description = [route.description, describeDemand(demand)].filter(Boolean).join(' ');
  const repeatable = route.method === 'POST';
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(description && { description }),
    tags: [route.tag],
    security: securityOf(demand),
    parameters: [...parameters, ...(repeatable ? [{ $ref: '#/components/parameters/Idempotency-Key' }] : [])],
    ...(requestBody && { requestBody }),
    responses: {
      [route.status ?? 200]: {
        description: route.success,
        headers: {
          'X-Request-Id': header('X-Request-Id'),
          ...(route.location && { Location: header('Location') }),
          ...(route.answer && { Link: header('Link') }),
          ...((route.export || route.download) && { 'Content-Disposition': header('Content-Disposition') }),
          ...(repeatable && { 'Idempotent-Replayed': header('Idempotent-Replayed') }),
        },
        content: contentOf(route, () => answers.forRoute(route, root)),
      },
      ...errors.of(codesOf(route, demand, parameters.length > 0)),
    },
  };
}

function contentOf({ export: exported, media, download }: Route, answer: () => Schema): Response['content'] {
  if (download) return downloaded;
  if (exported) return exportedFile;
  return media ? { [media.type]: { schema: { type: 'string' } } } : json(answer());
}

function operationId({ document }: Route): string {
  const name = operationOf(document).name!.value;
  return name.charAt(0).toLowerCase() + name.slice(1);
}
