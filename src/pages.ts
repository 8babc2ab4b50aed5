/** Pages for a browser: the playground and the API description. Every file comes from this machine. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import statics from '@fastify/static';
import type { FastifyInstance, RouteHandlerMethod } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { openApi } from './rest/openapi.ts';

const require = createRequire(import.meta.url);
const folderOf = (name: string) => dirname(require.resolve(`${name}/package.json`));

const page = (title: string, head: string, body: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
${head}
</head>
<body style="margin:0">
${body}
</body>
</html>
`;

const PLAYGROUND = page(
  'OmniStream playground',
  `<link rel="stylesheet" href="/assets/graphiql/graphiql.min.css">
<style>#graphiql { height: 100vh }</style>`,
  `<div id="graphiql">Loading…</div>
<script src="/assets/react/react.production.min.js"></script>
<script src="/assets/react-dom/react-dom.production.min.js"></script>
<script src="/assets/graphiql/graphiql.min.js"></script>
<script src="/assets/playground.js"></script>`,
);

const PLAYGROUND_SCRIPT = `const query = \`# Sign in, then put the token into the Headers tab below:
# { "Authorization": "Bearer <token>" }
mutation SignIn {
  superAdminLogin(email: "admin@omnistream.local", password: "the password that npm start printed") {
    token
  }
}

query Tenants {
  tenants(first: 20) {
    nodes {
      name
      slug
      status
      usage { agentCount contactCount messagesThisMonth }
      provisioning { state steps { name state attempt error } }
    }
  }
}
\`;
const fetcher = GraphiQL.createFetcher({ url: '/graphql' });
ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery: query, defaultHeaders: '{ "Authorization": "Bearer " }' }),
);
`;

const API_DOCS = page(
  'OmniStream API',
  '<link rel="stylesheet" href="/assets/swagger-ui/swagger-ui.css">',
  `<div id="docs"></div>
<script src="/assets/swagger-ui/swagger-ui-bundle.js"></script>
<script src="/assets/api-docs.js"></script>`,
);

const API_DOCS_SCRIPT = `SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });\n`;

/** @param graphql answers a GraphQL request by GET. */
export async function registerPages(
  app: FastifyInstance,
  schema: GraphQLSchema,
  production: boolean,
  graphql: RouteHandlerMethod,
): Promise<void> {
  const description = JSON.stringify(openApi(schema));
  app.get('/api/openapi.json', (_request, reply) => reply.type('application/json').send(description));
  app.get('/api/docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(API_DOCS));
  app.get('/assets/api-docs.js', (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(API_DOCS_SCRIPT),
  );

  const folder = async (prefix: string, root: string, allowed: RegExp) => {
    await app.register(statics, {
      root,
      prefix,
      decorateReply: false,
      index: false,
      maxAge: '1d',
      allowedPath: (path) => allowed.test(path),
    });
  };
  await folder('/assets/swagger-ui/', folderOf('swagger-ui-dist'), /^\/swagger-ui(-bundle\.js|\.css)$/);

  app.get('/graphql', function (request, reply) {
    const wantsPage =
      !production && !('query' in (request.query as object)) && /text\/html/.test(request.headers.accept ?? '');
    return wantsPage ? reply.type('text/html; charset=utf-8').send(PLAYGROUND) : graphql.call(this, request, reply);
  });
  if (production) return;
  app.get('/assets/playground.js', (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(PLAYGROUND_SCRIPT),
  );
  await folder('/assets/graphiql/', folderOf('graphiql'), /^\/graphiql\.min\.(js|css)$/);
  await folder('/assets/react/', join(folderOf('react'), 'umd'), /^\/react\.production\.min\.js$/);
  await folder('/assets/react-dom/', join(folderOf('react-dom'), 'umd'), /^\/react-dom\.production\.min\.js$/);
}
