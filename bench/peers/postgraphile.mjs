/** PostGraphile 5 as its guide starts it, on the tables of W2; the ceiling's token check stands before it. */
import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { tokenCheck } from './ceiling/token-check.ts';

const claimsOf = tokenCheck(process.env.JWT_SECRET);
const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ['public'] })],
  grafserv: { graphiql: false, graphqlPath: '/graphql' },
};
const served = postgraphile(preset).createServ(grafserv);
const server = createServer();
await served.addTo(server);
const [answer] = server.listeners('request');
server.removeAllListeners('request');
server.on('request', (request, response) => {
  if (claimsOf(request.headers.authorization)) answer.call(server, request, response);
  else response.writeHead(401).end();
});
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
