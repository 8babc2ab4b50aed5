/** The API description as clients get it, and requests and answers held against it. */
import type { Ajv, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { OpenApi, Operation, Reference, Response, Schema } from '../../src/rest/openapi/types.ts';

export class ApiDescription {
  readonly document: OpenApi;
  readonly #ajv: Ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
  readonly #compiled = new Map<Schema, ValidateFunction>();

  constructor(document: OpenApi) {
    this.document = document;
    formats.default(this.#ajv);
    // Where a schema's references lead.
    this.#ajv.addVocabulary(['components']);
  }

  operations(): { method: string; path: string; operation: Operation }[] {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
  }

  operation(method: string, path: string): Operation {
    return this.document.paths[path]![method.toLowerCase()]!;
  }

  /** What a reference leads to. */
  resolve<T extends object>(value: T | Reference): T {
    if (!('$ref' in value)) return value;
    const keys = (value.$ref as string).slice('#/'.length).split('/');
    const found = keys.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], this.document);
    return this.resolve(found as T);
  }

  /** What is wrong with a body as the request of this operation. */
  requestErrors(method: string, path: string, body: unknown): string[] {
    const { requestBody } = this.operation(method, path);
    return this.#errors(requestBody?.content['application/json']?.schema, body);
  }

  /** What is wrong with an answer of this operation, fields that are not described included. */
  answerErrors(method: string, path: string, status: number, body: unknown): string[] {
    const response: Response | Reference | undefined = this.operation(method, path).responses[status];
    if (!response) return [`the status ${status} is not described`];
    return this.#errors(this.resolve<Response>(response).content?.['application/json']?.schema, body);
  }

  #errors(schema: Schema | undefined, value: unknown): string[] {
    if (!schema) return ['no JSON is described'];
    const validate =
      this.#compiled.get(schema) ?? this.#ajv.compile(closed({ ...schema, components: this.document.components }));
    this.#compiled.set(schema, validate);
    validate(value);
    return (validate.errors ?? []).map(({ instancePath, message, params }) =>
      [instancePath, message, JSON.stringify(params)].join(' '),
    );
  }
}

/** A copy whose objects may hold nothing that is not described: clients have to bear new fields, tests do not. */
function closed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(closed) as T;
  if (value === null || typeof value !== 'object') return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, closed(member)])) as Schema;
  const open = copy.type === 'object' && copy.properties && !('additionalProperties' in copy);
  return (open ? { ...copy, additionalProperties: false } : copy) as T;
}
