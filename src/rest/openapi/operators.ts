/** The paths that serve operators and their tools (src/operations.ts); they are no rows of the route table. */
import type { ErrorResponses } from './errors.ts';
import { json, type OpenApi, type Operation, type Response, type Schema } from './types.ts';

const says = (status: string, more: Record<string, Schema> = {}): Response['content'] =>
  json({
    type: 'object',
    properties: { status: { type: 'string', const: status }, ...more },
    required: ['status', ...Object.keys(more)],
  });

const NOTICES: Schema = {
  type: 'array',
  items: { type: 'string' },
  description:
    'Sentences on what an operator should look after although requests are served, such as that no worker is alive.',
};

export function operatorPaths(errors: ErrorResponses): OpenApi['paths'] {
  const get = (
    operation: Pick<Operation, 'operationId' | 'summary' | 'description'>,
    success: Response,
    failures: Operation['responses'] = {},
  ): { get: Operation } => ({
    get: {
      ...operation,
      tags: ['Health'],
      security: [],
      responses: {
        200: { ...success, headers: { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } } },
        ...failures,
      },
    },
  });
  return {
    '/api/health': get(
      {
        operationId: 'getHealth',
        summary: 'API Gateway health check',
        description: 'Liveness: 200 as soon as requests can be served.',
      },
      { description: 'Alive', content: says('ok') },
    ),
    '/readyz': get(
      {
        operationId: 'getReadiness',
        summary: 'Readiness check',
        description: 'Whether the control-plane database answers.',
      },
      { description: 'Ready', content: says('ready', { notices: NOTICES }) },
      errors.of(['unavailable']),
    ),
    '/metrics': get(
      { operationId: 'getMetrics', summary: 'Metrics', description: 'For Prometheus, in its text format.' },
      { description: 'Metrics', content: { 'text/plain': { schema: { type: 'string' } } } },
    ),
  };
}
