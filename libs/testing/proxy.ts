import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Stands between a client and a server, and plays a network or a server that fails. */
export interface TestProxy {
  /** The given address, by way of this proxy. */
  readonly uri: string;
  /** Breaks every connection, and every new one at once, until `restore`. */
  cut(): void;
  /** Holds back what the server answers, until `restore`. */
  hold(): void;
  restore(): void;
  /** Swallows all answers while `work` runs, until `isDone` says that the server has done it; then breaks every connection. */
  losingAnswers<T>(work: () => Promise<T>, isDone: () => Promise<boolean>): Promise<T>;
  close(): Promise<void>;
}

export const createProxy = async (target: string): Promise<TestProxy> => {
  const uri = new URL(target);
  const { hostname, port } = uri;
  const sockets = new Set<Socket>();
  const upstreams = new Set<Socket>();
  let down = false;
  let holding = false;
  let swallowing = false;
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    track(client);
    if (down) return void client.destroy();
    const upstream = createConnection({ host: hostname, port: Number(port), noDelay: true });
    track(upstream);
    upstreams.add(upstream);
    if (holding) upstream.pause();
    client.setNoDelay(true);
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      if (swallowing || client.write(chunk)) return;
      upstream.pause();
      client.once('drain', () => holding || upstream.resume());
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => {
      upstreams.delete(upstream);
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  uri.port = String((server.address() as AddressInfo).port);
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    uri: uri.href,
    cut() {
      down = true;
      breakAll();
    },
    hold() {
      holding = true;
      for (const upstream of upstreams) upstream.pause();
    },
    restore() {
      down = false;
      holding = false;
      for (const upstream of upstreams) upstream.resume();
    },
    async losingAnswers(work, isDone) {
      swallowing = true;
      const result = work();
      while (!(await isDone()));
      breakAll();
      swallowing = false;
      return result;
    },
    async close() {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
