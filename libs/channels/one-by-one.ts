import type { Channel } from '#contracts/vocabulary';
import type { Outcome } from '#domain/outcome';
import type { ChannelSender, SendRequest } from '#domain/sender';

export interface OneByOneOptions {
  /** What it goes out by; closed with the sender. */
  http: { close(): Promise<void> };
  concurrency: number;
  timeoutMs: number;
}

/** For providers that take one message in a request. */
export abstract class OneByOneSender implements ChannelSender {
  abstract readonly channel: Channel;
  readonly batchSize = 1;
  readonly concurrency: number;
  readonly timeoutMs: number;
  private readonly http: OneByOneOptions['http'];

  constructor({ http, concurrency, timeoutMs }: OneByOneOptions) {
    this.http = http;
    this.concurrency = concurrency;
    this.timeoutMs = timeoutMs;
  }

  send(batch: readonly SendRequest[], signal: AbortSignal): Promise<Outcome[]> {
    return Promise.all(batch.map((request) => this.sendOne(request, signal)));
  }

  close(): Promise<void> {
    return this.http.close();
  }

  /** Never rejects for what the provider says or does. */
  protected abstract sendOne(request: SendRequest, signal: AbortSignal): Promise<Outcome>;
}
