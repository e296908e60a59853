import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Browsers open connections ahead of what they may ask. Node counts those as busy, so that a server which closes would
 * wait for them: as long as nothing was said on them, nothing is lost with them.
 */
export const closeSilentConnections = (fastify: FastifyInstance): void => {
  const open = new Set<Socket>();
  fastify.server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  fastify.addHook('preClose', (done) => {
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
    done();
  });
};
