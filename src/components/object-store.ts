import type { Readable } from 'node:stream';

/** An object as it is found in a list. */
export interface FoundObject {
  readonly name: string;
  readonly bytes: number;
  readonly modified: Date;
}

/** The bytes wanted of an object, first and last included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Buckets and what is in them. Nothing here has a deadline of its own: what is read may be large. */
export interface ObjectStore {
  /** @returns undefined for one that is not there. */
  read(
    bucket: string,
    name: string,
    signal: AbortSignal,
    range?: ByteRange,
  ): Promise<{ bytes: number; content: Readable } | undefined>;
  /** All that begins with `prefix`; nothing where there is no such bucket. */
  list(bucket: string, prefix: string, signal: AbortSignal): AsyncIterable<FoundObject>;
  /** Writes a file of this machine, with the bucket if that is not there. */
  write(bucket: string, name: string, file: string, signal: AbortSignal): Promise<void>;
  /** Not there is fine. */
  remove(bucket: string, name: string, signal: AbortSignal): Promise<void>;
}
