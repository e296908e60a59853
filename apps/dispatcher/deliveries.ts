import { Wake } from '#contracts/messages';
import { deliverQueue } from '#contracts/topology';
import { CHANNELS, type Channel, type Lane, LANES } from '#contracts/vocabulary';
import type { Deliverer } from '#delivery/deliverer';
import { BatchConsumer } from '#messaging/consumer';
import { TryAgainLater } from '#messaging/errors';
import type { IncomingMessage } from '#messaging/incoming';
import type { Log } from '#messaging/log';
import type { Refusals } from '#messaging/refusals';

export interface DeliveriesParts {
  deliverer: Pick<Deliverer, 'deliver'>;
  refusals: Refusals;
  log: Log;
  prefetch: number;
  /** Between two batches of a lane, in milliseconds; 0 for no batches: what comes is begun at once. */
  pauseMs: number;
}

const INVALID_WAKE = {
  code: 'validation_failed',
  errors: [{ in: 'body', field: '', code: 'invalid', message: 'must be a message that Carillon wrote' }],
};

/** One consumer for each channel and lane. Each message is acknowledged by itself, so that a slow one keeps nobody waiting. */
export const deliveryConsumers = (parts: DeliveriesParts): BatchConsumer[] =>
  CHANNELS.flatMap((channel) =>
    LANES.map(
      (lane) =>
        new BatchConsumer({
          queue: deliverQueue(channel, lane),
          log: parts.log,
          prefetch: parts.prefetch,
          // The deliverer gathers what is in hand; the prefetch is the bound.
          ...(parts.pauseMs === 0
            ? { concurrency: parts.prefetch }
            : { concurrency: 1, maxBatch: parts.prefetch, pauseMs: parts.pauseMs }),
          gatherMs: 0,
          onBatch: (messages) => handle(parts, channel, lane, messages),
          onRefused: (message, refusal) => parts.refusals.write(message, refusal),
        }),
    ),
  );

const handle = async (
  parts: DeliveriesParts,
  channel: Channel,
  lane: Lane,
  messages: readonly IncomingMessage[],
): Promise<void> => {
  const results = await Promise.allSettled(
    messages.map(async (message) => {
      const wake = Wake.safeParse(message.payload);
      if (!wake.success) return message.refuse(INVALID_WAKE);
      await parts.deliverer.deliver(channel, lane, wake.data);
      message.ack();
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    // Claiming failed: the database is away, and no message is to blame.
    parts.log.error({ err: failed.reason as unknown, queue: deliverQueue(channel, lane) }, 'cannot claim');
    throw new TryAgainLater('the database does not answer');
  }
};
