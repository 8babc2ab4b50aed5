/**
 * Keys that tokens are signed with. The first one is derived from JWT_SECRET and has no name; each later one is drawn by
 * `npm run keys -- rotate`, kept sealed in the control database, and named in the header of its tokens (`kid`, RFC 7515). A former
 * key is good for as long as a token that it signed can live, unless it was cut off at once.
 */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import { nowMs } from '../clock.ts';
import { type ControlDatabase, query, sqlOf } from '../db/control.ts';
import type { Keys } from '../db/keys.ts';
import { goByDatabase } from '../live/clock-watch.ts';
import type { EventBus } from '../live/event-bus.ts';
import { publish, type Topics } from '../live/event-log.ts';
import { audit } from './audit.ts';
import { LIFETIME } from './tokens.ts';

/** So long every process has to hear of a new key before one of them signs with it; in milliseconds. */
export const ANNOUNCED_MS = 2000;

export type SigningKeyRow = Topics['signing_key'];

interface Kept {
  kid: string;
  key: KeyObject;
  signsFrom: number;
  /** When the keys before it end. */
  formerEndAt: number;
  createdAt: number;
}

const ALL = query<SigningKeyRow>(
  'signing_keys',
  `select kid, sealed_key as "sealedKey", signs_from as "signsFrom", former_end_at as "formerEndAt",
          created_at as "createdAt"
     from signing_keys order by created_at, kid`,
);

export const signingKeys = ({ pool }: Pick<ControlDatabase, 'pool'>): Promise<SigningKeyRow[]> =>
  sqlOf(pool).rows(ALL, []);

export class SigningKeys {
  readonly #keys: Keys;
  /** The oldest first. */
  readonly #kept: Kept[] = [];

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /**
   * Follows the event log. What stands has to be loaded after this.
   *
   * @param changed is called when another key may have ended.
   */
  follow(bus: EventBus, log: Logger, changed: () => void): void {
    bus.on('signing_key', ({ payload }) => {
      if (this.#add(payload)) changed();
      else
        log.warn({ kid: payload.kid }, 'a signing key cannot be opened yet: it is read again with the new JWT_SECRET');
    });
  }

  /** Takes in those that are kept. @throws when one of them cannot be opened, the others being taken in. */
  async load(control: Pick<ControlDatabase, 'pool'>): Promise<void> {
    const sealed = (await signingKeys(control)).filter((row) => !this.#add(row));
    if (sealed.length > 0)
      throw new Error(`the signing key ${sealed[0]!.kid} was sealed with a secret that is not known`);
  }

  /** What tokens are signed with now. */
  get current(): { kid?: string; key: KeyObject } {
    const now = nowMs();
    return this.#kept.findLast(({ signsFrom }) => signsFrom <= now) ?? { key: this.#keys.signing };
  }

  /** @param kid absent for the first one. @returns undefined for a key that is unknown, or has ended. */
  find(kid: string | undefined): KeyObject | undefined {
    const place = kid === undefined ? -1 : this.#kept.findIndex((one) => one.kid === kid);
    if (kid !== undefined && place < 0) return undefined;
    const now = nowMs();
    if (this.#kept.slice(place + 1).some(({ formerEndAt }) => formerEndAt <= now)) return undefined;
    return kid === undefined ? this.#keys.signing : this.#kept[place]!.key;
  }

  /** @returns false where it cannot be opened: that of another secret may be heard of before the secret is learnt. */
  #add({ kid, sealedKey, signsFrom, formerEndAt, createdAt }: SigningKeyRow): boolean {
    if (this.#kept.some((one) => one.kid === kid)) return true;
    const key = this.#keys.tryOpen(sealedKey);
    if (key === undefined) return false;
    this.#kept.push({
      kid,
      key: createSecretKey(Buffer.from(key, 'base64')),
      signsFrom: Date.parse(signsFrom),
      formerEndAt: Date.parse(formerEndAt),
      createdAt: Date.parse(createdAt),
    });
    // One may be heard of before the older ones are loaded.
    this.#kept.sort((a, b) => a.createdAt - b.createdAt || (a.kid < b.kid ? -1 : 1));
    return true;
  }
}

/** @param now ends the former keys at once. */
function drawKey(keys: Keys, now: boolean): Omit<SigningKeyRow, 'createdAt'> {
  const start = nowMs();
  return {
    kid: randomBytes(9).toString('base64url'),
    sealedKey: keys.seal(randomBytes(32).toString('base64')),
    signsFrom: new Date(now ? start : start + ANNOUNCED_MS).toISOString(),
    formerEndAt: new Date(now ? start : start + ANNOUNCED_MS + LIFETIME.agent * 1000).toISOString(),
  };
}

/**
 * Draws a new key in a database that no gateway is running on yet, and ends all that are there.
 *
 * @returns its name.
 */
export async function replaceSigningKeys(client: pg.ClientBase, keys: Keys): Promise<string> {
  await goByDatabase(client);
  const { kid, sealedKey, signsFrom, formerEndAt } = drawKey(keys, true);
  await client.query('insert into signing_keys (kid, sealed_key, signs_from, former_end_at) values ($1, $2, $3, $4)', [
    kid,
    sealedKey,
    signsFrom,
    formerEndAt,
  ]);
  return kid;
}

/**
 * Draws a new key.
 *
 * @param options.now ends the former ones at once, and with them every token there is.
 */
export async function rotateSigningKey(
  { orm }: ControlDatabase,
  keys: Keys,
  { now = false }: { now?: boolean } = {},
): Promise<SigningKeyRow> {
  const drawn = drawKey(keys, now);
  return orm.em.fork().transactional(async (em) => {
    const [inserted] = await em.execute<{ created_at: string | Date }[]>(
      'insert into signing_keys (kid, sealed_key, signs_from, former_end_at) values (?, ?, ?, ?) returning created_at',
      [drawn.kid, drawn.sealedKey, drawn.signsFrom, drawn.formerEndAt],
    );
    const row: SigningKeyRow = { ...drawn, createdAt: new Date(inserted!.created_at).toISOString() };
    audit(
      em,
      { actor: { kind: 'system' } },
      {
        action: 'signing_key.rotate',
        target: { type: 'signing_key', id: row.kid },
        after: { signsFrom: row.signsFrom, formerEndAt: row.formerEndAt },
      },
    );
    await publish(em, 'signing_key', row);
    return row;
  });
}
