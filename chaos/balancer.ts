import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

/** Shares out connections, as a Service of Kubernetes does: it knows nothing of HTTP, and leaves open ones alone. */
export interface Balancer {
  readonly url: string;
  close(): Promise<void>;
}

/** @param targets looked at for each new connection */
export const startBalancer = async (targets: () => readonly string[]): Promise<Balancer> => {
  const sockets = new Set<Socket>();
  let turn = 0;
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const server = createServer({ noDelay: true }, (client) => {
    const all = targets();
    turn += 1;
    const { hostname, port } = new URL(all[turn % all.length] ?? '');
    const upstream = track(createConnection({ host: hostname, port: Number(port), noDelay: true }));
    track(client).pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
