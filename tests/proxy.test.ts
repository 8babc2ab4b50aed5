import { expect, test } from '@jest/globals';
import { anonymous } from './support/actors.ts';
import { startApp } from './support/app.ts';
import { sql } from './support/database.ts';

test('a forwarded address is believed from a trusted proxy, and from nobody else', async () => {
  const direct = await startApp();
  const behind = await startApp({ TRUST_PROXY: '127.0.0.1/32' });
  try {
    for (const [app, seen] of [
      [direct, '127.0.0.1'],
      [behind, '203.0.113.7'],
    ] as const) {
      const wrong = { email: 'nobody@platform.test', password: 'wrong password' };
      await anonymous(app).rest('POST', '/api/super-admin/login', wrong, { 'x-forwarded-for': '203.0.113.7' });
      const [entry] = await sql(
        app.databaseUrl,
        `select address from audit_entries where action = 'super_admin.login_failed'`,
      );
      expect(entry).toEqual({ address: seen });
    }
  } finally {
    await direct.stop();
    await behind.stop();
  }
});
