/** What names this installation among others on the same PostgreSQL server. */
import { randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { nowDate } from '../clock.ts';
import { Installation } from '../entities/control/installation.ts';

/** Eight hex digits, drawn at the first start. */
export async function installationCode(em: EntityManager): Promise<string> {
  const [found] = await em.execute<{ code: string }[]>('select code from installation where id = 1');
  if (found) return found.code;
  const code = randomBytes(4).toString('hex');
  await em.insert(Installation, { id: 1, code, createdAt: nowDate() });
  return code;
}
