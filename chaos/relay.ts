import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Stands between the platform and one provider, whose connections it can refuse as a host without a listener does. */
export class Relay {
  private server: Server | null = null;
  /** Open connections, and whether something was asked on them that has no answer yet. */
  private readonly connections = new Map<Socket, { isAsked: boolean }>();
  private port = 0;
  private target: URL | null = null;

  async listen(): Promise<void> {
    const server = createServer((client) => this.connect(client));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  aimAt(url: string): void {
    this.target = new URL(url);
  }

  /** Until it listens again. @returns how many requests were cut off from their answer */
  refuse(): number {
    const asked = [...this.connections.values()].filter(({ isAsked }) => isAsked).length;
    this.server?.close();
    for (const client of this.connections.keys()) client.destroy();
    return asked;
  }

  private connect(client: Socket): void {
    const { target } = this;
    if (target === null) return void client.destroy();
    const state = { isAsked: false };
    this.connections.set(client, state);
    const upstream = createConnection({ host: target.hostname, port: Number(target.port), noDelay: true });
    client.setNoDelay(true);
    client.on('data', () => (state.isAsked = true));
    upstream.on('data', () => (state.isAsked = false));
    client.pipe(upstream);
    upstream.pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('close', () => {
      this.connections.delete(client);
      upstream.destroy();
    });
    // A reset stays one.
    upstream.on('close', () => client.destroy());
  }
}
