/**
 * What the gateway signs, seals and fingerprints with. Every key is derived from `JWT_SECRET`; those of secrets that it had
 * before are known as well, from the control database (key-generations.ts).
 */
import type { KeyObject } from 'node:crypto';
import { nowMs } from '../clock.ts';
import { KeySet } from './key-set.ts';
import type { RootSecrets } from './secrets.ts';

/** The keys of one `JWT_SECRET`. */
export interface Generation {
  set: KeySet;
  /** When every process goes over to it, in milliseconds since the epoch. It opens what others have sealed before that. */
  usedFrom: number;
}

export class Keys {
  #given: readonly KeySet[] = [];
  /** The oldest first; never empty. */
  #generations: readonly Generation[];

  /**
   * Until `adopt`, the keys of that secret are the ones in use.
   *
   * @param former opens archives, and the installation where it is still the one in use.
   */
  constructor(secret: string, former?: string) {
    this.learn({ secret, former });
    this.#generations = [{ set: this.#given[0]!, usedFrom: Number.NEGATIVE_INFINITY }];
  }

  /** The secrets that this process has been given now. */
  learn({ secret, former }: RootSecrets): void {
    this.#given = [secret, ...(former === undefined ? [] : [former])].map((one) => KeySet.of(one));
  }

  /** Takes over which keys the installation has had. @param generations the oldest first, at least one. */
  adopt(generations: readonly Generation[]): void {
    this.#generations = generations;
  }

  /** Of the secrets that this process was given, `JWT_SECRET` first. */
  get given(): readonly KeySet[] {
    return this.#given;
  }

  get generations(): readonly Generation[] {
    return this.#generations;
  }

  get newest(): Generation {
    return this.#generations.at(-1)!;
  }

  /** Archives are encrypted with these: the ones that `JWT_SECRET` alone gives again. */
  get backups(): KeySet {
    return this.newest.set;
  }

  /** The key of tokens that name none. */
  get signing(): KeyObject {
    return this.#at(nowMs()).signing;
  }

  /** Whether text is sealed with the key in use, and not with one from before. */
  isSealedNow(sealed: string): boolean {
    return this.#at(nowMs()).tryOpen(sealed) !== undefined;
  }

  /** Encrypts text for storage. */
  seal(text: string): string {
    return this.#at(nowMs()).seal(text);
  }

  /** @throws when the text was sealed with a secret that is not known, or tampered with. */
  open(sealed: string): string {
    const text = this.tryOpen(sealed);
    if (text === undefined) throw new Error('it was sealed with a secret that is not known, or altered');
    return text;
  }

  /** @returns undefined where `open` throws. */
  tryOpen(sealed: string): string | undefined {
    for (const set of this.#all()) {
      const text = set.tryOpen(sealed);
      if (text !== undefined) return text;
    }
    return undefined;
  }

  /** A keyed hash that says whether two texts are the same without revealing a guessable one. */
  fingerprint(...parts: string[]): string {
    return this.#at(nowMs()).fingerprint(parts);
  }

  /** The same as any process makes it, or has made it, that one of now first. */
  fingerprints(...parts: string[]): string[] {
    return [...this.#ofInstallation()].map((set) => set.fingerprint(parts));
  }

  /** The same as it was made then. @param time in milliseconds since the epoch. */
  fingerprintOf(time: number, ...parts: string[]): string {
    return this.#at(time).fingerprint(parts);
  }

  /** The hash of a link in a chain of audit entries: without the key nobody can make one. */
  chain(previous: Buffer, digest: Buffer): Buffer {
    return this.#at(nowMs()).chain(previous, digest);
  }

  /**
   * When the key that a link was made with was replaced, in milliseconds since the epoch: infinity for the newest one.
   *
   * @returns undefined where the link was made with no key of this installation.
   */
  linkedUntil(previous: Buffer, digest: Buffer, hash: Buffer): number | undefined {
    const place = this.#generations.findLastIndex(({ set }) => set.chain(previous, digest).equals(hash));
    if (place < 0) return undefined;
    return this.#generations[place + 1]?.usedFrom ?? Number.POSITIVE_INFINITY;
  }

  /** What an archive was encrypted with. @param id as the archive names it. @returns undefined where nobody knows it. */
  ofArchive(id: string): KeySet | undefined {
    return this.#all().find((set) => set.id === id);
  }

  /** By which archives name what opens them here. */
  get archiveIds(): string[] {
    return [...new Set(this.#all().map(({ id }) => id))];
  }

  #at(time: number): KeySet {
    return (this.#generations.findLast(({ usedFrom }) => usedFrom <= time) ?? this.#generations[0]!).set;
  }

  /** Those of the installation, the ones in use first. */
  #ofInstallation(): Set<KeySet> {
    return new Set([this.#at(nowMs()), ...this.#generations.map(({ set }) => set).reverse()]);
  }

  #all(): KeySet[] {
    return [...this.#ofInstallation(), ...this.#given];
  }
}
