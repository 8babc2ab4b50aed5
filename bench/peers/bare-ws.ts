/** What a broadcast costs at least: a `ws` server that sends a ready text to whoever is connected, woken as the gateway is. */
import { createServer } from 'node:http';
import pg from 'pg';
import { WebSocketServer } from 'ws';

const TEXT = process.env.READY_TEXT!;
const http = createServer();
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
client.on('notification', () => {
  for (const socket of sockets.clients) socket.send(TEXT);
});
await client.query('listen omnistream_events');
http.listen(0, '127.0.0.1', () => {
  const address = http.address();
  if (address && typeof address === 'object') console.log(`listening on ${address.port}`);
});
