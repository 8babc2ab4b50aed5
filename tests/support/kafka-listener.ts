/** A listener of a Kafka broker, as far as one signs in to it: TLS, the handshake of versions, and SASL PLAIN. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';

/** For `localhost` and 127.0.0.1, until 2120; signed by itself. The key protects nothing: tests alone know the certificate. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIBATAKBggqhkjOPQQDAjAgMR4wHAYDVQQDDBVhIGJyb2tl
ciBvZiB0aGUgdGVzdHMwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBa
MCAxHjAcBgNVBAMMFWEgYnJva2VyIG9mIHRoZSB0ZXN0czBZMBMGByqGSM49AgEG
CCqGSM49AwEHA0IABJza5y0UeJokUdXMxvhY33Y3jr/yOBDzfQnHzvsUy9MoDTry
vOsebic4SZMCz54vq9IDr7PktycpsR7JqmrqtqijTjBMMBoGA1UdEQQTMBGCCWxv
Y2FsaG9zdIcEfwAAATAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBRDqZ8feyYM
hpNuhOKcomFEIq9dSTAKBggqhkjOPQQDAgNIADBFAiA/yi2Nmjx73XC/iKOEsw/d
WaCOxxy3juyeo4JpQi2OvwIhAJkWHtkcqerTTFUXRwEU17Qs0YlBeWoolff14QYx
/6RX
-----END CERTIFICATE-----
`;
export const PRIVATE_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRFWVDF+ySzKNf6BT
uZa4WlX6rdb1s/ynVSHRd4Vv3LmhRANCAASc2uctFHiaJFHVzMb4WN92N46/8jgQ
830Jx877FMvTKA068rzrHm4nOEmTAs+eL6vSA6+z5LcnKbEeyapq6rao
-----END PRIVATE KEY-----
`;

export interface KafkaListener {
  readonly port: number;
  /** What clients wanted and said: mechanisms, and the words of PLAIN. */
  readonly heard: string[];
  /** The names by which clients asked for its certificate. */
  readonly names: (string | false | null)[];
  stop(): Promise<void>;
}

/** Numbers of the protocol: https://kafka.apache.org/protocol */
const [SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE] = [17, 18, 36];
const [UNSUPPORTED_SASL_MECHANISM, SASL_AUTHENTICATION_FAILED] = [33, 58];

const int16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number) => Buffer.concat([int16(value >>> 16), int16(value & 65_535)]);
const text = (value: string) => Buffer.concat([int16(value.length), Buffer.from(value)]);
const array = (items: Buffer[]) => Buffer.concat([int32(items.length), ...items]);

/** @param password of whoever signs in. */
export async function startKafkaListener(password: string): Promise<KafkaListener> {
  const heard: string[] = [];
  const names: KafkaListener['names'] = [];
  const sockets = new Set<Socket>();

  function answer(api: number, body: Buffer): Buffer {
    if (api === API_VERSIONS) {
      const versions = [SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE].map((known) => [
        int16(known),
        int16(0),
        int16(1),
      ]);
      return Buffer.concat([int16(0), array(versions.map((parts) => Buffer.concat(parts))), int32(0)]);
    }
    if (api === SASL_HANDSHAKE) {
      const wanted = body.subarray(2).toString();
      heard.push(wanted);
      return Buffer.concat([int16(wanted === 'PLAIN' ? 0 : UNSUPPORTED_SASL_MECHANISM), array([text('PLAIN')])]);
    }
    const said = body.subarray(4).toString().replaceAll('\0', ' ').trim();
    heard.push(said);
    const code = said.endsWith(` ${password}`) ? 0 : SASL_AUTHENTICATION_FAILED;
    const lifetime = Buffer.alloc(8);
    return Buffer.concat([int16(code), text(code ? 'Authentication failed' : ''), int32(0), lifetime]);
  }

  const server = createServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (socket) => {
    names.push(socket.servername);
    let read = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      read = Buffer.concat([read, bytes]);
      while (read.length >= 4 && read.length >= 4 + read.readInt32BE()) {
        const request = read.subarray(4, 4 + read.readInt32BE());
        read = read.subarray(4 + request.length);
        // Before the body: which request, its version and number, and what the client calls itself.
        const client = Math.max(0, request.readInt16BE(8));
        const said = answer(request.readInt16BE(0), request.subarray(10 + client));
        const told = Buffer.concat([request.subarray(4, 8), said]);
        socket.write(Buffer.concat([int32(told.length), told]));
      }
    });
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    names,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
