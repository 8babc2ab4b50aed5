/**
 * Encrypts a stream piece by piece with AES-256-GCM, so that it can be read without holding it and no piece can be changed,
 * moved, or left off the end: the nonce is the piece's number and whether it is the last (the STREAM construction,
 * Hoang et al. 2015, as age uses it).
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { BadArchive } from './archive.ts';

/** Of the plain text. */
const PIECE = 65_536;
const TAG = 16;

function nonce(number: number, isLast: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUIntBE(number, 5, 6);
  bytes[11] = isLast ? 1 : 0;
  return bytes;
}

/** Cuts a stream into pieces of one size; the last one is shorter or, of an empty stream, empty. */
async function* pieces(source: AsyncIterable<Buffer>, size: number): AsyncGenerator<[piece: Buffer, isLast: boolean]> {
  let held: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    held.push(chunk);
    length += chunk.length;
    if (length <= size) continue;
    const all = Buffer.concat(held);
    let at = 0;
    for (; all.length - at > size; at += size) yield [all.subarray(at, at + size), false];
    held = [all.subarray(at)];
    length = all.length - at;
  }
  yield [Buffer.concat(held), true];
}

/** @param about what the stream belongs to: it cannot be opened as another's. */
export async function* seal(source: AsyncIterable<Buffer>, key: Buffer, about: Buffer): AsyncGenerator<Buffer> {
  let number = 0;
  for await (const [piece, isLast] of pieces(source, PIECE)) {
    const cipher = createCipheriv('aes-256-gcm', key, nonce(number, isLast)).setAAD(about);
    yield Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
    number += 1;
  }
}

/** @throws {BadArchive} at the first piece that is not as it was written. */
export async function* unseal(source: AsyncIterable<Buffer>, key: Buffer, about: Buffer): AsyncGenerator<Buffer> {
  let number = 0;
  for await (const [piece, isLast] of pieces(source, PIECE + TAG)) {
    if (piece.length < TAG) throw cutOff();
    const body = piece.subarray(0, -TAG);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce(number, isLast)).setAAD(about);
    decipher.setAuthTag(piece.subarray(-TAG));
    let plain: Buffer;
    try {
      plain = Buffer.concat([decipher.update(body), decipher.final()]);
    } catch {
      throw isLast ? cutOff() : new BadArchive(`it is damaged, ${number * (PIECE + TAG)} bytes after its header`);
    }
    yield plain;
    number += 1;
  }
}

const cutOff = () => new BadArchive('it is cut off, or its end is damaged');
