import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { InvalidSettings, parseSettings } from '#config/settings';
import { EVERY_SERVICE, parseAllowLists } from './allow-list.js';
import type { ResolveHost } from './connector.js';
import { GuardedHttp, plainHttp } from './guarded-http.js';
import type { HttpClient, HttpResult } from './http-client.js';
import { EgressSettings } from './settings.js';

const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

const listen = async <T extends Server | TcpServer>(server: T): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  toClose.push(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
};

const httpServer = (listener: RequestListener): Promise<number> => listen(createServer(listener));

/** A server that shows each connection to the test. */
const tcpServer = (onConnection: (socket: Socket) => void): Promise<number> =>
  listen(
    createTcpServer((socket) => {
      toClose.push(() => Promise.resolve(socket.destroy()));
      socket.on('error', () => undefined);
      onConnection(socket);
    }),
  );

const guarded = (allow: string, resolve?: ResolveHost): GuardedHttp => {
  const lists = parseAllowLists(allow);
  if (lists === null) throw new Error(`not an allow list: ${allow}`);
  const guard = new GuardedHttp(lists, {
    connectTimeoutMs: 2_000,
    connectionsPerOrigin: 1,
    ...(resolve && { resolve }),
  });
  toClose.push(() => guard.close());
  return guard;
};

const post = (
  client: HttpClient,
  url: string,
  signal = new AbortController().signal,
  timeoutMs = 5_000,
): Promise<HttpResult> =>
  client.post(new URL(url), { headers: { 'content-type': 'application/json' }, body: '{}', timeoutMs, signal });

const resolvesTo =
  (...answers: string[][]): ResolveHost =>
  (_, callback) => {
    const addresses = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };

const LOOPBACK = `${EVERY_SERVICE}=127.0.0.1/32`;
const refusal = { kind: 'failed', reason: 'address_not_allowed', written: false };

describe('guarded requests', () => {
  it.each([
    'http://127.0.0.1:PORT/',
    'http://localhost:PORT/',
    'http://[::1]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://0:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'http://metadata.google.internal/',
  ])('do not reach %s', async (url) => {
    let reached = false;
    const port = await httpServer((_, response) => {
      reached = true;
      response.end();
    });
    const resolve: ResolveHost = resolvesTo(['127.0.0.1', '::1']);
    expect(await post(guarded('', resolve).forService('test'), url.replace('PORT', String(port)))).toEqual(refusal);
    expect(reached).toBe(false);
  });

  it('keep the body of an answer only where it is asked for', async () => {
    const port = await httpServer((_, response) => response.end('{"id":"é"}'));
    const client = guarded(LOOPBACK).forService('test');
    const request = { headers: {}, body: '', timeoutMs: 5_000, signal: new AbortController().signal };
    const url = new URL(`http://127.0.0.1:${port}/`);
    expect(await client.post(url, { ...request, keepBytes: 100 })).toMatchObject({ status: 200, body: '{"id":"é"}' });
    expect(await client.post(url, request)).toMatchObject({ status: 200, body: '' });
  });

  it('reach what is allowed for this service, and only that', async () => {
    const port = await httpServer((_, response) => response.end());
    const http = guarded('test=127.0.0.1/32');
    expect(await post(http.forService('test'), `http://127.0.0.1:${port}/`)).toMatchObject({
      kind: 'answered',
      status: 200,
    });
    // The connection of the first is still open, and is not for the second.
    expect(await post(http.forService('diabetes'), `http://127.0.0.1:${port}/`)).toEqual(refusal);
  });

  it('never go to metadata, not even where a name or network is allowed', async () => {
    const http = guarded('*=169.254.0.0/16,trick.example', resolvesTo(['169.254.169.254']));
    expect(await post(http.forService('test'), 'http://trick.example/')).toEqual(refusal);
    expect(await post(http.forService('test'), 'http://169.254.169.254/')).toEqual(refusal);
  });

  it('check the address that is connected to, so that a name may change its mind in vain', async () => {
    const port = await httpServer((_, response) => response.end());
    const names: string[] = [];
    const rebinding = resolvesTo(['127.0.0.1'], ['10.0.0.1']);
    const http = guarded(LOOPBACK, (hostname, callback) => {
      names.push(hostname);
      rebinding(hostname, callback);
    });
    const url = `http://rebinding.example:${port}/`;
    expect(await post(http.forService('test'), url)).toMatchObject({ kind: 'answered' });
    // Kept: the address was checked, whatever the name stands for now.
    expect(await post(http.forService('test'), url)).toMatchObject({ kind: 'answered' });
    expect(names).toEqual(['rebinding.example']);
    const later = guarded(LOOPBACK, rebinding);
    expect(await post(later.forService('test'), url)).toEqual(refusal);
  });

  it('use only the good ones of several addresses', async () => {
    const port = await httpServer((_, response) => response.end());
    const http = guarded(LOOPBACK, resolvesTo(['10.0.0.1', '127.0.0.1', '192.168.0.1']));
    expect(await post(http.forService('test'), `http://mixed.example:${port}/`)).toMatchObject({ kind: 'answered' });
  });

  it('do not follow redirects', async () => {
    let requests = 0;
    const port = await httpServer((_, response) => {
      requests++;
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect(await post(guarded(LOOPBACK).forService('test'), `http://127.0.0.1:${port}/`)).toMatchObject({
      status: 302,
    });
    expect(requests).toBe(1);
  });

  it('know no proxy', async () => {
    let proxied = false;
    const proxy = await tcpServer((socket) => {
      proxied = true;
      socket.destroy();
    });
    const port = await httpServer((_, response) => response.end());
    const variables = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
    const before = variables.map((name) => process.env[name]);
    for (const name of variables) process.env[name] = `http://127.0.0.1:${proxy}`;
    try {
      expect(await post(guarded(LOOPBACK).forService('test'), `http://127.0.0.1:${port}/`)).toMatchObject({
        status: 200,
      });
    } finally {
      for (const [index, name] of variables.entries()) {
        if (before[index] === undefined) delete process.env[name];
        else process.env[name] = before[index];
      }
    }
    expect(proxied).toBe(false);
  });

  it('keep connections, and drop one whose answer is too long', async () => {
    const sockets = new Set<Socket>();
    let dropped: () => void = () => undefined;
    const drop = new Promise<void>((resolve) => (dropped = resolve));
    const port = await httpServer(({ url, socket }, response) => {
      sockets.add(socket);
      if (url !== '/long') return void response.end();
      response.once('close', dropped);
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
        response.once('drain', more);
      };
      more();
    });
    const client = guarded(LOOPBACK).forService('test');
    for (let i = 0; i < 5; i++) await post(client, `http://127.0.0.1:${port}/?${i}`);
    expect(sockets.size).toBe(1);
    expect(await post(client, `http://127.0.0.1:${port}/long`)).toMatchObject({ kind: 'answered', status: 200 });
    await drop;
    expect(await post(client, `http://127.0.0.1:${port}/`)).toMatchObject({ kind: 'answered', status: 200 });
  });
});

describe('failures', () => {
  const client = (): HttpClient =>
    guarded(LOOPBACK, (_, callback) => callback(Object.assign(new Error(), { code: 'ENOTFOUND' }), [])).forService(
      'test',
    );

  it('tell a refused connection and an unknown name', async () => {
    const port = await httpServer(() => undefined);
    await toClose.pop()?.();
    expect(await post(client(), `http://127.0.0.1:${port}/`)).toEqual({
      kind: 'failed',
      reason: 'unreachable',
      written: false,
    });
    expect(await post(client(), 'http://nowhere.example/')).toEqual({
      kind: 'failed',
      reason: 'unreachable',
      written: false,
    });
  });

  it('tell TLS that is none', async () => {
    const port = await tcpServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    expect(await post(client(), `https://127.0.0.1:${port}/`)).toEqual({
      kind: 'failed',
      reason: 'tls',
      written: false,
    });
  });

  it('tell what broke off after the request was written', async () => {
    const port = await tcpServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await post(client(), `http://127.0.0.1:${port}/`)).toEqual({
      kind: 'failed',
      reason: 'broken',
      written: true,
    });
  });

  it('tell an answer that is not HTTP', async () => {
    const port = await tcpServer((socket) => socket.once('data', () => socket.end('nonsense\r\n\r\n')));
    expect(await post(client(), `http://127.0.0.1:${port}/`)).toEqual({
      kind: 'failed',
      reason: 'broken',
      written: true,
    });
  });

  it('give up in time, before or after the request was written', async () => {
    const arrived = Promise.withResolvers<void>();
    const port = await httpServer(() => arrived.resolve());
    const one = guarded(LOOPBACK);
    const url = `http://127.0.0.1:${port}/`;
    const first = post(one.forService('test'), url, undefined, 400);
    await arrived.promise;
    const second = post(one.forService('test'), url, undefined, 50);
    expect(await second).toEqual({ kind: 'failed', reason: 'timeout', written: false });
    expect(await first).toEqual({ kind: 'failed', reason: 'timeout', written: true });
  });

  it('give up when told, and never send what was given up', async () => {
    const lines: string[] = [];
    const arrived = Promise.withResolvers<void>();
    const held = Promise.withResolvers<() => void>();
    const port = await httpServer(({ url }, response) => {
      lines.push(url ?? '');
      if (url === '/held') held.resolve(() => response.end());
      else response.end();
      arrived.resolve();
    });
    const http = guarded(LOOPBACK);
    const base = `http://127.0.0.1:${port}`;
    const controller = new AbortController();
    const holding = post(http.forService('test'), `${base}/held`);
    const release = await held.promise;
    const givenUp = post(http.forService('test'), `${base}/given-up`, controller.signal);
    const next = post(http.forService('test'), `${base}/next`);
    controller.abort();
    expect(await givenUp).toEqual({ kind: 'failed', reason: 'aborted', written: false });
    expect(await post(http.forService('test'), base, controller.signal)).toEqual({
      kind: 'failed',
      reason: 'aborted',
      written: false,
    });
    release();
    expect(await holding).toMatchObject({ kind: 'answered' });
    expect(await next).toMatchObject({ kind: 'answered' });
    expect(lines).toEqual(['/held', '/next']);
  });

  it('cut what was written when told', async () => {
    const controller = new AbortController();
    const port = await httpServer(() => controller.abort());
    expect(await post(client(), `http://127.0.0.1:${port}/`, controller.signal)).toEqual({
      kind: 'failed',
      reason: 'aborted',
      written: true,
    });
  });
});

describe("operators' own requests", () => {
  it('go where they are told', async () => {
    const port = await httpServer((_, response) => response.end());
    const http = plainHttp({ connectTimeoutMs: 2_000, connectionsPerOrigin: 1 });
    toClose.push(() => http.close());
    expect(await post(http, `http://127.0.0.1:${port}/`)).toMatchObject({ kind: 'answered', status: 200 });
  });
});

describe('settings', () => {
  it('allow nothing unless told', () => {
    expect(parseSettings(EgressSettings, {}).EGRESS_ALLOW.size).toBe(0);
    expect(parseSettings(EgressSettings, { EGRESS_ALLOW: 'test=localhost' }).EGRESS_ALLOW.get('test')?.hosts).toEqual(
      new Set(['localhost']),
    );
  });

  it('name the variable that is wrong', () => {
    expect(() => parseSettings(EgressSettings, { EGRESS_ALLOW: 'localhost' })).toThrow(InvalidSettings);
    expect(() => parseSettings(EgressSettings, { EGRESS_ALLOW: 'localhost' })).toThrow(
      /EGRESS_ALLOW must be like test=/,
    );
  });
});
