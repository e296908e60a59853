import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { plainHttp } from './guarded-http.js';
import type { HttpClient, HttpResult } from './http-client.js';

const HALF = 'Notific';
const TEXT = `${HALF}ação`;
let server: Server;
let client: HttpClient;

const post = (path: string, keepBytes: number, timeoutMs = 5_000): Promise<HttpResult> => {
  const url = new URL(path, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return client.post(url, { headers: {}, body: '{}', timeoutMs, signal: new AbortController().signal, keepBytes });
};

beforeAll(async () => {
  server = createServer(({ url }, response) => {
    response.writeHead(200, { 'content-length': Buffer.byteLength(TEXT) });
    if (url === '/whole') response.end(TEXT);
    else response.write(HALF, () => url === '/broken' && response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = plainHttp({ connectTimeoutMs: 2_000, connectionsPerOrigin: 1 });
});
afterAll(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('an answer that is kept', () => {
  const answered = { kind: 'answered', status: 200 };

  it('has its body', async () => {
    expect(await post('/whole', 100)).toMatchObject({ ...answered, body: TEXT, cut: null });
  });

  it('says where its body breaks off, is too long, or does not end in time', async () => {
    expect(await post('/broken', 100)).toMatchObject({ ...answered, cut: 'broken' });
    expect(await post('/whole', 5)).toMatchObject({ ...answered, body: '', cut: 'broken' });
    expect(await post('/slow', 100, 200)).toMatchObject({ ...answered, body: HALF, cut: 'timeout' });
    expect(await post('/whole', 100)).toMatchObject({ ...answered, body: TEXT, cut: null });
  });
});
