import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { eventually, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf, hasProgram } from './support/available.ts';
import { serverUrl, sql } from './support/database.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { freePort } from './support/redis-server.ts';

const PASSWORD = 'what-pgbouncer-signs-in-with';

describeIf('the PgBouncer of compose.yml', hasProgram('pgbouncer'), 'pgbouncer is not installed', () => {
  let app: TestApp;
  let bouncer: ChildProcess;
  let port: number;
  const role = `pgbouncer_${process.pid}`;

  beforeAll(async () => {
    app = await startApp();
    // As deploy/postgres/init.sh makes it.
    const made = /create role pgbouncer .*;/.exec(await readFile('deploy/postgres/init.sh', 'utf8'))![0];
    await sql(serverUrl('postgres'), made.replace('pgbouncer', role).replace(":'pgbouncer'", `'${PASSWORD}'`));
    port = await freePort();
    const folder = await temporaryFolder();
    await chmod(folder, 0o777);
    const server = new URL(serverUrl('postgres'));
    const users = join(folder, 'userlist.txt');
    const adapted = (await readFile('deploy/pgbouncer/pgbouncer.ini', 'utf8'))
      .replace('host=postgres port=5432', `host=${server.hostname} port=${server.port}`)
      .replace('listen_addr = 0.0.0.0', 'listen_addr = 127.0.0.1')
      .replace('listen_port = 6432', `listen_port = ${port}`)
      .replace('auth_user = pgbouncer', `auth_user = ${role}`)
      .replaceAll('/tmp/userlist.txt', users);
    const ini = join(folder, 'pgbouncer.ini');
    await writeFile(ini, adapted);
    const start = join(folder, 'start.sh');
    const script = (await readFile('deploy/pgbouncer/start.sh', 'utf8'))
      .replaceAll('/tmp/userlist.txt', users)
      .replace('"pgbouncer" "%s"', `"${role}" "%s"`);
    await writeFile(start, script);
    // It does not run as root.
    const account = process.getuid?.() === 0 ? ['--reuid', '65534', '--regid', '65534', '--clear-groups'] : [];
    bouncer = spawn('setpriv', [...account, '--pdeathsig', 'KILL', 'sh', start, ini], {
      stdio: 'ignore',
      env: { PATH: process.env.PATH, PGBOUNCER_PASSWORD: PASSWORD },
    });
  });
  afterAll(async () => {
    bouncer?.kill('SIGKILL');
    await app.stop();
    await sql(serverUrl('postgres'), `drop role "${role}"`);
    await cleanUp();
  });

  const ask = async (config: pg.ClientConfig) => {
    const client = new pg.Client({ ...config, host: '127.0.0.1', port, options: undefined, ssl: false });
    client.on('error', () => {});
    try {
      await client.connect();
      return (await client.query('select current_user as role, current_database() as database')).rows[0];
    } finally {
      await client.end();
    }
  };

  test('lets a tenant’s role into its own database, by its own password, and nowhere else', async () => {
    const admin = await superAdmin(app);
    const [one, other] = [await provision(admin), await provision(admin)];
    const login = await app.services.tenants.connection(one.id);
    const elsewhere = await app.services.tenants.connection(other.id);
    const found = await eventually(
      () => ask(login).catch((error: Error) => error.message),
      (answer) => typeof answer === 'object',
    );
    expect(found).toEqual({ role: login.user, database: login.database });
    await expect(ask({ ...login, password: 'another one' })).rejects.toThrow(/SASL|password|authentication/i);
    await expect(ask({ ...login, database: elsewhere.database })).rejects.toThrow(/permission denied/);
  });
});
