/** Reads the rows that PostgreSQL sends, quicker than pg does by itself. */
import type { Readable } from 'node:stream';
import pg from 'pg';
import { type BackendMessage, DataRowMessage, type RowDescriptionMessage } from 'pg-protocol/dist/messages.js';
import { Parser } from 'pg-protocol/dist/parser.js';

/** Of a message, as the protocol marks it. */
const ROW_DESCRIPTION = 'T'.charCodeAt(0);
const DATA_ROW = 'D'.charCodeAt(0);

const { BOOL, DATE, INT2, INT4, INT8, TIMESTAMPTZ, UUID } = pg.types.builtins;
/** Whose text is ASCII. */
const ASCII_TYPES = new Set<number>([BOOL, DATE, INT2, INT4, INT8, TIMESTAMPTZ, UUID]);

/** In bytes; values keep the text of their whole row alive. */
const LONGEST_ROW = 4096;

/** What pg-protocol's types call private. */
const PacketParser = Parser as unknown as new () => {
  parse(data: Buffer, callback: (message: BackendMessage) => void): void;
  handlePacket(start: number, code: number, length: number, bytes: Buffer): BackendMessage;
};

if (typeof PacketParser.prototype.handlePacket !== 'function') {
  throw new Error('pg-protocol takes packets apart otherwise than it did: see RowParser');
}

/**
 * Decodes a row at once and cuts its values out of that, instead of asking Node for the text of each: two thousand calls for a
 * page of a hundred tenants, which were 9 % of its CPU.
 */
class RowParser extends PacketParser {
  /** Of the rows to come, by column: whether its text is ASCII in any case. */
  #ascii: boolean[] = [];

  override handlePacket(start: number, code: number, length: number, bytes: Buffer): BackendMessage {
    // The length counts itself, four bytes, which stand before the start.
    if (code === DATA_ROW && length <= LONGEST_ROW) return this.#row(start, length, bytes);
    const message = super.handlePacket(start, code, length, bytes);
    if (code === ROW_DESCRIPTION) {
      const { fields } = message as RowDescriptionMessage;
      this.#ascii = fields.map(({ dataTypeID }) => ASCII_TYPES.has(dataTypeID));
    }
    return message;
  }

  #row(start: number, length: number, bytes: Buffer): BackendMessage {
    const row = bytes.toString('latin1', start, start + length - 4);
    const values = new Array<string | null>(bytes.readInt16BE(start));
    let at = 2;
    for (let column = 0; column < values.length; column++) {
      const size = bytes.readInt32BE(start + at);
      at += 4;
      if (size === -1) {
        values[column] = null;
        continue;
      }
      const end = at + size;
      values[column] =
        this.#ascii[column] || isAscii(bytes, start + at, start + end)
          ? row.slice(at, end)
          : bytes.toString('utf8', start + at, start + end);
      at = end;
    }
    return new DataRowMessage(length, values);
  }
}

/** Node's own takes longer for a few bytes. */
function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! > 127) return false;
  return true;
}

/** The connection of a client, as pg has it. */
interface Wire {
  attachListeners(stream: Readable): void;
  emit(event: string, message: BackendMessage): boolean;
}

/** A client whose rows are read so. */
export class Client extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    const { connection } = this as unknown as { connection: Wire };
    if (typeof connection.attachListeners !== 'function')
      throw new Error('pg reads otherwise than it did: see RowParser');
    // Called once there is a stream, and once more for that which is encrypted.
    connection.attachListeners = (stream) => {
      const parser = new RowParser();
      const tell = (message: BackendMessage) =>
        connection.emit(message.name === 'error' ? 'errorMessage' : message.name, message);
      stream.on('data', (data: Buffer) => parser.parse(data, tell));
    };
  }
}
