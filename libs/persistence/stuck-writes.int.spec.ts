import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { Databases } from './databases.js';

/** A large command is more than a socket takes at once. */
const LARGE = 'x'.repeat(4_000_000);

let test: TestDatabases;
beforeAll(async () => {
  test = await openTestDatabases();
});
afterAll(() => test.drop());

it('an operation ends when its connection is closed while it is being written', async () => {
  const uri = new URL(test.databases.settings.MONGODB_URI);
  const target = { host: uri.hostname, port: Number(uri.port) };
  const clients = new Set<Socket>();
  // Like a server that stops: it says goodbye in the middle of what it is sent.
  const server = createServer((client) => {
    clients.add(client);
    client.on('error', () => undefined);
    const upstream = createConnection(target);
    upstream.on('error', () => undefined).pipe(client);
    client.on('close', () => upstream.destroy());
    client.on('data', (chunk: Buffer) => {
      if (chunk.includes('xxxxxxxx')) client.end();
      else if (client.writable) upstream.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  uri.port = String((server.address() as AddressInfo).port);
  const behind = new Databases({ ...test.databases.settings, MONGODB_URI: uri.href });
  try {
    const large = (): Promise<unknown> =>
      behind.connection().then((connection) => connection.getClient().db('admin').command({ ping: 1, comment: LARGE }));
    await expect(large()).rejects.toThrow('closed');
    expect(behind.pool.inUse).toBe(0);
    await behind.ping();
  } finally {
    await behind.close();
    for (const client of clients) client.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});
