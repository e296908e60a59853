import type { Channel } from '#contracts/vocabulary';
import type { Outcome } from '#domain/outcome';
import type { ChannelSender, SendRequest } from '#domain/sender';
import { credentialsMissing } from './outcomes.js';

/** Stands in for a channel that this installation has no provider for, so that what is asked of it fails and is seen. */
export class UnconfiguredSender implements ChannelSender {
  readonly batchSize = 500;
  readonly concurrency = 1;
  readonly timeoutMs = 1_000;

  constructor(readonly channel: Channel) {}

  send(batch: readonly SendRequest[]): Promise<Outcome[]> {
    return Promise.resolve(
      batch.map(() =>
        credentialsMissing(
          this.channel,
          'not_configured',
          `this installation has no provider for the channel ${this.channel}`,
        ),
      ),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
