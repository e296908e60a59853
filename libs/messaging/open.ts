import { connect } from 'amqplib';
import type { ChannelModel } from 'amqplib';

const CONNECT_TIMEOUT_MS = 10_000;

export interface OpenOptions {
  uri: URL;
  /** Shown by RabbitMQ's management. */
  name: string;
  heartbeatSeconds: number;
}

/** One connection to RabbitMQ. @throws Error of amqplib or of the network */
export const openConnection = ({ uri, name, heartbeatSeconds }: OpenOptions): Promise<ChannelModel> => {
  const target = new URL(uri);
  if (!target.searchParams.has('heartbeat')) target.searchParams.set('heartbeat', String(heartbeatSeconds));
  return connect(target.href, {
    noDelay: true,
    keepAlive: true,
    timeout: CONNECT_TIMEOUT_MS,
    clientProperties: { connection_name: name },
  });
};

/** Connects once, works, and hangs up: for commands, which have nothing to come back to. */
export const withConnection = async <T>(
  options: OpenOptions,
  work: (model: ChannelModel) => Promise<T>,
): Promise<T> => {
  const model = await openConnection(options);
  // What a broker that goes away breaks is thrown by the work itself.
  model.on('error', () => undefined);
  try {
    return await work(model);
  } finally {
    await model.close().catch(() => undefined);
  }
};
