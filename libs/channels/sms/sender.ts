import type { Outcome } from '#domain/outcome';
import type { SendRequest } from '#domain/sender';
import { Deadline } from '../deadline.js';
import { type OneByOneOptions, OneByOneSender } from '../one-by-one.js';
import type { SmsProvider } from './provider.js';

export interface SmsOptions extends OneByOneOptions {
  /** In the order in which they are asked. */
  providers: readonly [SmsProvider, ...SmsProvider[]];
}

/** Text to phones. The first provider sends. */
export class SmsSender extends OneByOneSender {
  readonly channel = 'sms';

  constructor(private readonly options: SmsOptions) {
    super(options);
  }

  protected async sendOne(request: SendRequest, signal: AbortSignal): Promise<Outcome> {
    const [provider] = this.options.providers;
    const deadline = new Deadline(this.timeoutMs, signal);
    try {
      return await provider.send(request, deadline);
    } finally {
      deadline.clear();
    }
  }
}
