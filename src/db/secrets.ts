/** Secrets that nobody gave are made once and kept in the data folder, readable by its owner alone. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface StoredSecrets {
  jwtSecret: string;
  /** Of the embedded server's superuser. */
  postgresPassword: string;
  /** Of the first super admin, where none was given: kept so that a start that ends before printing it loses nothing. */
  superAdminPassword: string;
}

/** What the gateway signs, seals and fingerprints with; every key is derived from `JWT_SECRET` by HKDF (RFC 5869). */
export class Keys {
  /** HS256. A key object: given text, jsonwebtoken tries to read a PEM key from it on each call. */
  readonly signing: KeyObject;
  readonly #sealing: Buffer;
  readonly #fingerprint: Buffer;
  readonly #auditChain: Buffer;
  readonly #backups: Buffer;

  constructor(secret: string) {
    const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, 'omnistream', purpose, 32));
    this.signing = createSecretKey(derive('token signing'));
    this.#sealing = derive('sealing');
    this.#fingerprint = derive('fingerprint');
    this.#auditChain = derive('audit chain');
    this.#backups = derive('backups');
  }

  /** Encrypts text for storage: AES-256-GCM, `base64(iv | tag | ciphertext)`. */
  seal(text: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#sealing, iv);
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
  }

  /** @throws when the text was sealed with another secret or tampered with. */
  open(sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', this.#sealing, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  }

  /** A keyed hash that says whether two texts are the same without revealing a guessable one. */
  fingerprint(...parts: string[]): string {
    return createHmac('sha256', this.#fingerprint).update(JSON.stringify(parts)).digest('base64url');
  }

  /** The hash of a link in a chain of audit entries: without the key nobody can make one. */
  chain(previous: Buffer, digest: Buffer): Buffer {
    return createHmac('sha256', this.#auditChain).update(previous).update(digest).digest();
  }

  /** The key of one backup. @param salt 32 random bytes, another for each. */
  backup(salt: Buffer): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#backups, salt, 'backup', 32));
  }

  /** Tells the secrets of backups apart, and nothing of them. */
  get backupKeyId(): string {
    return createHmac('sha256', this.#backups).update('key id').digest('hex').slice(0, 16);
  }
}

/** A password nobody has to type: 192 random bits. */
export const randomPassword = (): string => randomBytes(24).toString('base64url');

const fileIn = (dataDir: string) => join(dataDir, 'secrets.json');

/** What `secrets.json` in the data folder holds; undefined where there is none. */
export async function existingSecrets(dataDir: string): Promise<StoredSecrets | undefined> {
  try {
    return JSON.parse(await readFile(fileIn(dataDir), 'utf8')) as StoredSecrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Reads `secrets.json` in the data folder, making it (and the folder) first if need be. */
export async function storedSecrets(dataDir: string): Promise<StoredSecrets> {
  const found = await existingSecrets(dataDir);
  if (found) return found;
  await mkdir(dataDir, { recursive: true });
  const secrets: StoredSecrets = {
    jwtSecret: randomBytes(48).toString('base64url'),
    postgresPassword: randomPassword(),
    superAdminPassword: randomPassword(),
  };
  // Written aside and linked to its place: a crash leaves no file or a whole one, and of several processes that make it
  // at once the first decides for all.
  const draft = `${fileIn(dataDir)}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  try {
    await link(draft, fileIn(dataDir)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  return (await existingSecrets(dataDir))!;
}
