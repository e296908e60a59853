import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** How long a connection on which nothing is asked is kept when the server closes, in milliseconds. */
const LAST_WORDS_MS = 1_000;

/**
 * Ends connections so that no request is lost with them. A client that keeps a connection may be sending on it at the
 * very moment when the server closes it: so for a while they are kept, each answer says that it is the last one, and
 * the client closes. Browsers open connections ahead of what they may ask; Node counts those as busy and would wait for
 * them. As long as nothing was said on them, nothing is lost with them.
 */
export const leaveWithLastWords = (fastify: FastifyInstance): void => {
  const open = new Set<Socket>();
  fastify.server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  // By then Fastify adds `connection: close` to what it answers.
  fastify.addHook('preClose', async () => {
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
    const allClosed = Promise.all([...open].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    await Promise.race([allClosed, pause(LAST_WORDS_MS, undefined, { ref: false })]);
  });
};
