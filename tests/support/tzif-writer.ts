/** Compiled zones with any content. */

const LOCAL_TIME_BYTES = 6;

export interface Contents {
  /** In seconds. */
  times?: number[];
  kinds?: number[];
  /** Local times, in seconds ahead of UTC. */
  types?: number[];
  footer?: string;
}

/** What `zic -b slim` would write: nothing for readers of version 1. */
export function tzif({ times = [], kinds = [], types = [0], footer = '' }: Contents): Buffer {
  const header = (version: number, counts: number[]) => {
    const bytes = Buffer.alloc(44);
    bytes.write('TZif');
    bytes[4] = version;
    counts.forEach((count, n) => void bytes.writeUInt32BE(count, 20 + n * 4));
    return bytes;
  };
  const data = Buffer.alloc(times.length * 9 + types.length * LOCAL_TIME_BYTES + 4);
  times.forEach((time, n) => void data.writeBigInt64BE(BigInt(time), n * 8));
  kinds.forEach((kind, n) => void data.writeUInt8(kind, times.length * 8 + n));
  types.forEach((ahead, n) => void data.writeInt32BE(ahead, times.length * 9 + n * LOCAL_TIME_BYTES));
  return Buffer.concat([
    header(0x32, [0, 0, 0, 0, 1, 1]),
    Buffer.alloc(7),
    header(0x32, [0, 0, 0, times.length, types.length, 4]),
    data,
    Buffer.from(`\n${footer}\n`),
  ]);
}
