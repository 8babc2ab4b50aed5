/** Lets a process go over to another `JWT_SECRET` while it runs, or end where it was not given it (docs/decisions/0040). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { nowMs } from '../clock.ts';
import { describeFailure } from '../components/describe-failure.ts';
import { ConfigError } from '../config.ts';
import type { ControlDatabase } from '../db/control.ts';
import { loadGenerations } from '../db/key-generations.ts';
import type { Keys } from '../db/keys.ts';
import type { RootSecrets } from '../db/secrets.ts';
import type { EventBus } from '../live/event-bus.ts';

/** After a failure. Milliseconds. */
const AGAIN_MS = 500;
/** A timer may be early by a moment, in which a token could be taken for good once more. Milliseconds. */
const LATE_MS = 20;

export interface SecretWatchOptions {
  keys: Keys;
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
  #stopped = false;
  #timer?: NodeJS.Timeout;

  constructor(options: SecretWatchOptions) {
    this.#options = options;
  }

  async start(bus: EventBus): Promise<void> {
    bus.on('root_secret', () => void this.#keepLoading());
    await this.#load();
    this.#sayWhichIsUsed();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #keepLoading(): Promise<void> {
    const { log, lockedOut } = this.#options;
    while (!this.#stopped) {
      try {
        await this.#load();
        log.info('JWT_SECRET is being changed: this process goes over to the new one');
        return;
      } catch (error) {
        if (error instanceof ConfigError) {
          if (!this.#stopped) lockedOut?.(error.message);
          return;
        }
        log.warn({ error: describeFailure(error) }, 'the keys could not be read; trying again');
        await sleep(AGAIN_MS, undefined, { ref: false });
      }
    }
  }

  async #load(): Promise<void> {
    const { keys, control, secretsNow, changed } = this.#options;
    if (secretsNow) keys.learn(await secretsNow());
    await loadGenerations(control.pool, keys);
    clearTimeout(this.#timer);
    const inMs = keys.newest.usedFrom - nowMs();
    if (inMs > 0) this.#timer = setTimeout(changed, inMs + LATE_MS).unref();
    else changed();
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
