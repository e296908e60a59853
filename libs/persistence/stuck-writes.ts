import type { Socket } from 'node:net';
import type { mongo } from 'mongoose';

/** What the driver keeps to itself: its connections that are in use. */
interface Inside {
  topology?: {
    s: {
      servers: ReadonlyMap<string, { pool: { checkedOutConnections: Iterable<{ closed: boolean; socket: Socket }> } }>;
    };
  };
}

/**
 * Ends operations that the driver would wait for without end, and with them the use of their places in its pool. After
 * a write that the socket had to keep it waits for `drain` (7.8, `Connection.writeCommand`), which a socket that is
 * closed meanwhile without an error never emits: a server that is killed leaves such behind. Told that it drained, the
 * operation goes on to see that its connection is closed.
 */
export const freeStuckWrites = (client: mongo.MongoClient): void => {
  for (const { pool } of (client as unknown as Inside).topology?.s.servers.values() ?? [])
    for (const { closed, socket } of pool.checkedOutConnections)
      if (closed && socket.listenerCount('drain') > 0) socket.emit('drain');
};
