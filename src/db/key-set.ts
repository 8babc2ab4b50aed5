/** The keys of one root secret: each is derived from it by HKDF (RFC 5869) for one purpose. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

const PURPOSES = {
  signing: 'token signing',
  sealing: 'sealing',
  fingerprint: 'fingerprint',
  auditChain: 'audit chain',
  backups: 'backups',
} as const;

type Derived = Record<keyof typeof PURPOSES, Buffer>;

export class KeySet {
  /** HS256. A key object: given text, jsonwebtoken tries to read a PEM key from it on each call. */
  readonly signing: KeyObject;
  readonly #derived: Derived;

  private constructor(derived: Derived) {
    this.#derived = derived;
    this.signing = createSecretKey(derived.signing);
  }

  static of(secret: string): KeySet {
    const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, 'omnistream', purpose, 32));
    return new KeySet(mapped(PURPOSES, derive));
  }

  /** @param text what `toText` gave. */
  static from(text: string): KeySet {
    return new KeySet(mapped(JSON.parse(text) as Record<keyof Derived, string>, (key) => Buffer.from(key, 'base64')));
  }

  /** The keys without the secret that they come from, to be sealed. */
  toText(): string {
    return JSON.stringify(mapped(this.#derived, (key) => key.toString('base64')));
  }

  /** Encrypts text for storage: AES-256-GCM, `base64(iv | tag | ciphertext)`. */
  seal(text: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#derived.sealing, iv);
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
  }

  /** @throws when the text was sealed with another key or tampered with. */
  open(sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', this.#derived.sealing, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  }

  /** @returns undefined where `open` throws. */
  tryOpen(sealed: string): string | undefined {
    try {
      return this.open(sealed);
    } catch {
      return undefined;
    }
  }

  fingerprint(parts: readonly string[]): string {
    return createHmac('sha256', this.#derived.fingerprint).update(JSON.stringify(parts)).digest('base64url');
  }

  chain(previous: Buffer, digest: Buffer): Buffer {
    return createHmac('sha256', this.#derived.auditChain).update(previous).update(digest).digest();
  }

  /** The key of one backup. @param salt 32 random bytes, another for each. */
  backup(salt: Buffer): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#derived.backups, salt, 'backup', 32));
  }

  /** Tells sets apart, and nothing of them: archives name the one that they are encrypted with. */
  get id(): string {
    return createHmac('sha256', this.#derived.backups).update('key id').digest('hex').slice(0, 16);
  }
}

function mapped<K extends string, From, To>(from: Record<K, From>, make: (value: From) => To): Record<K, To> {
  return Object.fromEntries(Object.entries<From>(from).map(([name, value]) => [name, make(value)])) as Record<K, To>;
}
