import { beforeAll, describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Schema } from '../src/rest/openapi/types.ts';
import { openApi } from '../src/rest/openapi.ts';
import { buildGatewaySchema } from '../src/schema/build-schema.ts';
import { ApiDescription } from './support/api-description.ts';
import { seedOperations } from './support/seed-operations.ts';

let description: ApiDescription;

beforeAll(async () => {
  description = new ApiDescription(openApi(await buildGatewaySchema()));
});

describe('the API description', () => {
  test('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate({ ...description.document })).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('holds every documented operation, and none besides signing in and what operators ask', () => {
    const described = description.operations().map(({ method, path, operation }) => [method, path, operation.summary]);
    expect(new Set(described)).toEqual(
      new Set([
        ...seedOperations.map(({ method, path, title }) => [method, path, title]),
        ['POST', '/api/auth/login', 'Login with email and password'],
        ['GET', '/api/health', 'API Gateway health check'],
        ['GET', '/readyz', 'Readiness check'],
        ['GET', '/metrics', 'Metrics'],
      ]),
    );
  });

  test('gives each operation a name of its own', () => {
    const names = description.operations().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  test('shows examples that are valid', () => {
    for (const { method, path, operation } of description.operations()) {
      for (const [status, response] of Object.entries(operation.responses)) {
        const { examples = {} } = description.resolve(response).content?.['application/json'] ?? {};
        for (const { value } of Object.values(examples)) {
          expect(description.answerErrors(method, path, Number(status), value)).toEqual([]);
        }
      }
    }
  });

  test.each(seedOperations)('asks for what is documented: $title', ({ method, path, ...seed }) => {
    const operation = description.operation(method, path);
    const parameters = (operation.parameters ?? []).map((parameter) => description.resolve(parameter));
    const query = parameters.filter(
      (parameter) => parameter.in === 'query' && !['limit', 'after'].includes(parameter.name),
    );
    expect(Object.fromEntries(query.map(({ name, required }) => [name, !!required]))).toEqual(seed.query ?? {});
    expect(parameters.some((parameter) => parameter.in === 'path')).toBe(path.includes('{id}'));

    const body = operation.requestBody?.content['application/json']?.schema;
    expect(Object.keys(body?.properties ?? {})).toEqual(Object.keys(seed.body ?? {}));
    expect(body?.required).toEqual(seed.requiredInBody);
    if (body) expect(body.additionalProperties).toBe(false);
  });

  test.each(seedOperations)('promises what is documented: $title', ({ method, path, answer, requiredInAnswer }) => {
    const { responses } = description.operation(method, path);
    const success = description.resolve(responses[200] ?? responses[201]!);
    const whole = description.resolve<Schema>(success.content!['application/json']!.schema);
    const schema = Array.isArray(answer) ? description.resolve<Schema>(whole.items!) : whole;
    expect(schema.required).toEqual(expect.arrayContaining(requiredInAnswer ?? []));
  });
});
