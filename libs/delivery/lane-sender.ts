import { Semaphore } from '#batching/semaphore';
import type { TimedOutcome } from '#domain/outcome';
import type { ChannelSender, SendRequest } from '#domain/sender';

/** What is left of a lease must hold a send's time limit and the settling after it, in milliseconds. */
export const SETTLING_MS = 5_000;

/**
 * Hands the requests of one lane to its channel's sender, in batches, as many requests at once as fill the batches that
 * the sender takes: a small batch that hangs holds up no more than itself.
 */
export class LaneSender {
  private readonly places: Semaphore;

  constructor(
    private readonly sender: ChannelSender,
    private readonly now: () => Date,
  ) {
    this.places = new Semaphore(sender.concurrency * sender.batchSize);
  }

  /**
   * Calls `onDone` for each request, as soon as it is known: with its outcome, or with null when the lease left no time
   * to try it. Resolves when all are done.
   * @param leaseEnd by `performance.now()`, milliseconds
   */
  async send(
    requests: readonly SendRequest[],
    leaseEnd: number,
    onDone: (request: SendRequest, outcome: TimedOutcome | null) => void,
  ): Promise<void> {
    const batches: SendRequest[][] = [];
    for (let from = 0; from < requests.length; from += this.sender.batchSize)
      batches.push(requests.slice(from, from + this.sender.batchSize));
    await Promise.all(
      batches.map((batch) => this.places.run(() => this.sendBatch(batch, leaseEnd, onDone), batch.length)),
    );
  }

  private async sendBatch(
    batch: readonly SendRequest[],
    leaseEnd: number,
    onDone: (request: SendRequest, outcome: TimedOutcome | null) => void,
  ): Promise<void> {
    const startedAt = this.now();
    const started = performance.now();
    const left = leaseEnd - SETTLING_MS - started;
    if (left < this.sender.timeoutMs) {
      for (const request of batch) onDone(request, null);
      return;
    }
    const timed = (outcome: TimedOutcome['outcome']): TimedOutcome => ({
      outcome,
      startedAt,
      durationMs: Math.round(performance.now() - started),
    });
    const controller = new AbortController();
    const end = setTimeout(() => controller.abort(), left);
    try {
      const outcomes = await this.sender.send(batch, controller.signal);
      batch.forEach((request, index) => onDone(request, timed(outcomes[index] ?? broken(this.sender.channel))));
    } catch (error) {
      for (const request of batch) onDone(request, timed(broken(this.sender.channel, error)));
    } finally {
      clearTimeout(end);
    }
  }
}

/** A sender that rejects breaks its contract; whether it sent is not known. */
const broken = (channel: string, error?: unknown): TimedOutcome['outcome'] => ({
  kind: 'uncertain',
  provider: channel,
  code: 'sender_failed',
  class: 'provider',
  message: error instanceof Error ? `the sender failed: ${error.name}` : 'the sender gave no outcome',
  providerStatus: null,
});
