/** Lets a process go over to another `JWT_SECRET` while it runs, or end where it was not given it (docs/decisions/0040). */
import type { Logger } from 'pino';
import { nowMs } from '../clock.ts';
import { describeFailure } from '../components/describe-failure.ts';
import { ConfigError } from '../config.ts';
import type { ControlDatabase } from '../db/control.ts';
import { loadGenerations } from '../db/key-generations.ts';
import type { Keys } from '../db/keys.ts';
import type { RootSecrets } from '../db/secrets.ts';
import type { EventBus } from '../live/event-bus.ts';
import { Reload } from '../reload.ts';
import { ANNOUNCED_MS, type SigningKeys } from './signing-keys.ts';

/** After a failure. Milliseconds. */
const AGAIN_MS = 500;
/** A timer may be early by a moment, in which a token could be taken for good once more. Milliseconds. */
const LATE_MS = 20;
/** A new secret that cannot be read is tried again for so long after every other process has gone over. Milliseconds. */
const READ_LATE_MS = 3000;

class UnreadSecrets extends Error {}

function unreadSecrets(cause: unknown): never {
  throw new UnreadSecrets(
    `JWT_SECRET was changed, and this process cannot read the new one: ${describeFailure(cause)}. Let it read secrets.json ` +
      'in DATA_DIR, and start it again.',
    { cause },
  );
}

interface SecretWatchOptions {
  keys: Keys;
  signing: SigningKeys;
  control: Pick<ControlDatabase, 'pool'>;
  log: Logger;
  /** The secrets as they are given now; absent where they stay as they were. */
  secretsNow?(): Promise<RootSecrets>;
  /** Called when the secret was changed for one that was not given. */
  lockedOut?(why: string): void;
  /** Called when tokens of the former first key have ended. */
  changed(): void;
}

export class SecretWatch {
  readonly #options: SecretWatchOptions;
  readonly #reload = new Reload(
    () => this.#load(),
    (error) => this.#failed(error),
  );
  /** When a change was heard of last, by `performance.now()`; undefined before the first. */
  #toldAt?: number;
  #timer?: NodeJS.Timeout;

  constructor(options: SecretWatchOptions) {
    this.#options = options;
  }

  async start(bus: EventBus): Promise<void> {
    bus.on('root_secret', () => {
      this.#toldAt = performance.now();
      this.#reload.told();
    });
    await this.#reload.now();
    this.#sayWhichIsUsed();
  }

  stop(): void {
    this.#reload.stop();
    clearTimeout(this.#timer);
  }

  #failed(error: unknown): number | undefined {
    const { log, lockedOut } = this.#options;
    if (this.#isLockedOutBy(error)) {
      lockedOut?.((error as Error).message);
      return undefined;
    }
    log.warn({ error: describeFailure(error) }, 'the keys could not be read; trying again');
    return AGAIN_MS;
  }

  /** Not while a database is away: with that nothing is written with former keys, and they are read once it is back. */
  #isLockedOutBy(error: unknown): boolean {
    const isLate = performance.now() - (this.#toldAt ?? 0) > ANNOUNCED_MS + READ_LATE_MS;
    return error instanceof ConfigError || (isLate && error instanceof UnreadSecrets);
  }

  async #load(): Promise<void> {
    const { keys, signing, control, log, secretsNow, changed } = this.#options;
    if (secretsNow) keys.learn(await secretsNow().catch(unreadSecrets));
    await loadGenerations(control.pool, keys);
    clearTimeout(this.#timer);
    const inMs = keys.newest.usedFrom - nowMs();
    if (inMs > 0) this.#timer = setTimeout(changed, inMs + LATE_MS).unref();
    // After the secret's: one that was drawn since, or is sealed anew, could not be opened when it was heard of.
    await signing.load(control);
    changed();
    if (this.#toldAt !== undefined) log.info('JWT_SECRET is being changed: this process goes over to the new one');
  }

  /** To be seen at a start: half of a change is easily forgotten. */
  #sayWhichIsUsed(): void {
    const { keys, log } = this.#options;
    if (keys.newest.set.id === keys.given[0]!.id) return;
    log.warn(
      'JWT_SECRET is not in use yet, the former one is: once every process has both, run npm run keys -- change-secret',
    );
  }
}
