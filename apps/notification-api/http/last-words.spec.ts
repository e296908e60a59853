import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { testApi } from '../spec-api.js';
import { leaveWithLastWords } from './last-words.js';

let server: FastifyInstance;
let closing: Promise<void>;

beforeEach(async () => {
  server = fastify({ return503OnClosing: false });
  closing = new Promise((resolve) => server.addHook('preClose', (done) => (resolve(), done())));
  leaveWithLastWords(server);
  server.get('/', () => 'here');
  await server.listen({ port: 0, host: '127.0.0.1' });
});
afterEach(() => server.close());

const open = async (): Promise<Socket> => {
  const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  return socket.setEncoding('utf8');
};
const ask = async (socket: Socket): Promise<string> => {
  socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [string];
  return answer;
};

it('answers what is asked on an open connection while it closes, and says that it is the last one', async () => {
  const socket = await open();
  expect(await ask(socket)).toMatch(/\r\nConnection: keep-alive\r\n/);
  const closed = server.close();
  await closing;
  const answer = await ask(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer).toMatch(/\r\nConnection: close\r\n/i);
  await once(socket, 'close');
  await closed;
});

it('does not wait for a connection on which nothing was asked, in the whole gateway', async () => {
  const { app } = await testApi();
  await app.listen({ host: '127.0.0.1', port: 0 });
  const accepted = once(app.getHttpServer(), 'connection');
  const socket = connect(Number(new URL(await app.getUrl()).port), '127.0.0.1');
  const closed = once(socket, 'close');
  await accepted;
  await app.close();
  await closed;
  expect(socket.bytesWritten).toBe(0);
});

it('closes in the end on a client that keeps its connection and is silent', async () => {
  const socket = await open();
  await ask(socket);
  const gone = once(socket, 'close');
  await server.close();
  await gone;
});
