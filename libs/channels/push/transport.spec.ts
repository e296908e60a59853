import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Outcome } from '#domain/outcome';
import { sendRequest } from '../conformance.js';
import { PushSender } from './sender.js';

/** What the sandbox has no fault for. */

const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

const serve = async (listener: RequestListener): Promise<Server> => {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  toClose.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return server;
};

const senderTo = (
  endpoint: string,
  getAccessToken?: () => Promise<{ access_token: string; expires_in: number }>,
  timeoutMs = 10_000,
): PushSender => {
  const sender = new PushSender({
    projectId: 'test',
    credential: {
      getAccessToken: getAccessToken ?? (() => Promise.resolve({ access_token: 'the-token', expires_in: 3600 })),
    },
    endpoint: new URL(endpoint),
    sockets: 4,
    concurrency: 2,
    timeoutMs,
  });
  toClose.push(() => sender.close());
  return sender;
};

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const never = (): AbortSignal => new AbortController().signal;
const requests = (...targets: string[]): ReturnType<typeof sendRequest>[] =>
  targets.map((target) => sendRequest({ target }));
const tokenOf = (body: string): string => (JSON.parse(body) as { message: { token: string } }).message.token;
const brief = (outcomes: Outcome[]): string[] =>
  outcomes.map((outcome) =>
    outcome.kind === 'sent' ? String(outcome.providerMessageId) : `${outcome.kind} ${outcome.code}`,
  );

/** Answers each message with its own token for an id. */
const echo: RequestListener = (request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => response.end(JSON.stringify({ name: tokenOf(body) })));
};

describe('the way to FCM', () => {
  it('is the endpoint that is set, path and all', async () => {
    const seen: (string | undefined)[] = [];
    const server = await serve((request, response) => {
      seen.push(request.method, request.url, request.headers.host, request.headers.authorization);
      echo(request, response);
    });
    expect(brief(await senderTo(`${urlOf(server)}/fcm/`).send(requests('t'), never()))).toEqual(['t']);
    const { host } = new URL(urlOf(server));
    expect(seen).toEqual(['POST', '/fcm/v1/projects/test/messages:send', host, 'Bearer the-token']);
  });

  it('keeps batches that are under way at once apart', async () => {
    const sender = senderTo(urlOf(await serve(echo)));
    const batches = Array.from({ length: 6 }, (_, batch) =>
      Array.from({ length: 40 }, (__, index) => `b${batch}-${index}`),
    );
    const outcomes = await Promise.all(batches.map((tokens) => sender.send(requests(...tokens), never())));
    expect(outcomes.map(brief)).toEqual(batches);
  });

  it('does not wait forever for an answer that breaks off', async () => {
    const server = await serve((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
        response.write('{"name":');
        setImmediate(() => request.socket.destroy());
      });
    });
    expect(brief(await senderTo(urlOf(server)).send(requests('t'), never()))).toEqual(['uncertain connection_lost']);
  });

  it('is uncertain of a 200 that nobody can read', async () => {
    const server = await serve((request, response) => void request.resume().on('end', () => response.end('<html>')));
    expect(brief(await senderTo(urlOf(server)).send(requests('t'), never()))).toEqual(['uncertain connection_lost']);
  });

  it('needs credentials', async () => {
    let reached = false;
    const server = await serve((_, response) => {
      reached = true;
      response.end();
    });
    const sender = senderTo(urlOf(server), () => Promise.reject(new Error('no such account')));
    expect(brief(await sender.send(requests('a', 'b'), never()))).toEqual(
      Array(2).fill('credentials credentials_refused'),
    );
    expect(reached).toBe(false);
  });

  it('sends nothing after the end, even if the access token comes then', async () => {
    let reached = false;
    const server = await serve((_, response) => {
      reached = true;
      response.end();
    });
    const token = Promise.withResolvers<{ access_token: string; expires_in: number }>();
    const sender = senderTo(urlOf(server), () => token.promise, 100);
    expect(brief(await sender.send(requests('a', 'b'), never()))).toEqual(Array(2).fill('transient timeout'));
    token.resolve({ access_token: 'late', expires_in: 3600 });
    // Behind the ones that were given up: what they would have done is done by then.
    await sender.send(requests('c'), AbortSignal.abort());
    expect(reached).toBe(false);
  });

  it('does not take what speaks no TLS for FCM', async () => {
    const server = await serve(echo);
    const sender = senderTo(urlOf(server).replace('http:', 'https:'));
    const [outcome] = await sender.send(requests('t'), never());
    expect(['provider_down', 'transient']).toContain(outcome?.kind);
  });

  it('may be closed twice', async () => {
    const sender = senderTo('http://127.0.0.1:9');
    await sender.close();
    await sender.close();
  });
});
