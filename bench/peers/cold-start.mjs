// What starts at least where a gateway starts: Node, Fastify and the same embedded PostgreSQL on its data folder, one route and
// one statement. Plain JavaScript with a compile cache, so that nothing has to be compiled here that is not compiled there.
import { enableCompileCache } from 'node:module';

enableCompileCache(process.env.COMPILE_CACHE);
const loading = Promise.all([import('fastify'), import('pg')]);
const { startEmbeddedServer } = await import('../../dist/db/embedded-server.js');
const { url } = await startEmbeddedServer({
  dataDir: process.env.DATA_DIR,
  password: process.env.POSTGRES_PASSWORD,
  notice: () => {},
});
const [{ default: Fastify }, { default: pg }] = await loading;
const pool = new pg.Pool({ connectionString: url });
const app = Fastify();
app.get('/readyz', async () => {
  await pool.query('select 1');
  return { status: 'ready' };
});
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
