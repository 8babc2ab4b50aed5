/** Pages for a browser: the console, the playground and the API description. Every file comes from this machine. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import statics from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Config } from './config.ts';
import { PROJECT } from './project.ts';
import { openApi } from './rest/openapi.ts';
import { PAGE_HEADERS } from './security-headers.ts';

const require = createRequire(import.meta.url);
const folderOf = (name: string) => dirname(require.resolve(`${name}/package.json`));

/** What `vite build` makes of `web/`. */
const BUILT = join(PROJECT, 'web', 'dist');

const API_DOCS = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>OmniStream API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/swagger-ui/swagger-ui.css">
</head>
<body style="margin:0">
<div id="docs"></div>
<script src="/assets/swagger-ui/swagger-ui-bundle.js"></script>
<script src="/assets/api-docs.js"></script>
</body>
</html>
`;

const API_DOCS_SCRIPT = `SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });\n`;

export async function registerPages(app: FastifyInstance, schema: GraphQLSchema): Promise<void> {
  let description: string | undefined;
  app.get('/api/openapi.json', (_request, reply) => {
    description ??= JSON.stringify(openApi(schema));
    return reply.type('application/json').send(description);
  });
  app.get('/api/docs', (_request, reply) =>
    reply.headers(PAGE_HEADERS).type('text/html; charset=utf-8').send(API_DOCS),
  );
  app.get('/assets/api-docs.js', (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(API_DOCS_SCRIPT),
  );
  await app.register(statics, {
    root: folderOf('swagger-ui-dist'),
    prefix: '/assets/swagger-ui/',
    decorateReply: false,
    index: false,
    maxAge: '1d',
    allowedPath: (path) => /^\/swagger-ui(-bundle\.js|\.css)$/.test(path),
  });
  // Their names change with what is in them.
  await app.register(statics, {
    root: join(BUILT, 'assets'),
    prefix: '/console/assets/',
    index: false,
    immutable: true,
    maxAge: '365d',
    preCompressed: true,
  });
  // Its pages are the console's own business.
  app.get('/console', (_request, reply) => sendPage(reply, 'index.html'));
  app.get('/console/*', (_request, reply) => sendPage(reply, 'index.html'));
}

/** Whether a browser, not a program, asks `/graphql`, and there is a playground to show. */
export const wantsPlayground = ({ query, headers }: FastifyRequest, { playground }: Config): boolean =>
  playground && !('query' in (query as object)) && /text\/html/.test(headers.accept ?? '');

export const sendPlayground = (reply: FastifyReply): FastifyReply => sendPage(reply, 'playground.html');

const sendPage = (reply: FastifyReply, name: string): FastifyReply =>
  reply.headers({ ...PAGE_HEADERS, 'cache-control': 'no-cache' }).sendFile(name, BUILT, { cacheControl: false });
