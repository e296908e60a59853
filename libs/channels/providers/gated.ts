import type { Channel } from '#contracts/vocabulary';
import { placeOf } from '#domain/limits';
import type { Outcome } from '#domain/outcome';
import type { ProviderFigures, ProviderParts } from '#domain/providers';
import type { ChannelSender, SendRequest } from '#domain/sender';
import { held, heldFor } from '../outcomes.js';
import { ProviderLine } from './line.js';

export interface GatedOptions {
  sender: ChannelSender;
  /** The provider's, as it stands in outcomes. */
  name: string;
  isOutage: (outcome: Outcome) => boolean;
  halfOpenMs: number;
  parts: ProviderParts;
}

/** A channel with one provider, which is not asked while it is disabled, down or beyond its limit. */
export class GatedSender implements ChannelSender {
  readonly channel: Channel;
  readonly batchSize: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
  private readonly line: ProviderLine;

  constructor(private readonly options: GatedOptions) {
    const { sender, ...rest } = options;
    this.channel = sender.channel;
    this.batchSize = sender.batchSize;
    this.concurrency = sender.concurrency;
    this.timeoutMs = sender.timeoutMs;
    const services = [{ serviceName: '*', order: 1 }];
    this.line = new ProviderLine({ ...rest, channel: sender.channel, services });
  }

  async send(batch: readonly SendRequest[], signal: AbortSignal): Promise<Outcome[]> {
    if (batch.length === 0) return [];
    const outcomes = await Promise.all(batch.map((request) => this.holdOf(request)));
    const open = outcomes.flatMap((hold, index) => (hold === null ? [index] : []));
    if (open.length > 0) {
      const requests = open.flatMap((index) => batch[index] ?? []);
      const answers = await this.line.call(() => this.options.sender.send(requests, signal), signal);
      open.forEach((index, at) => (outcomes[index] = answers?.[at] ?? this.line.held()));
    }
    return outcomes.map((outcome) => outcome ?? this.line.held());
  }

  figures(): ProviderFigures[] {
    return [this.line.figures()];
  }

  close(): Promise<void> {
    return this.options.sender.close();
  }

  private async holdOf({ place }: SendRequest): Promise<Outcome | null> {
    const { name, parts } = this.options;
    if (this.line.closed !== null) return this.line.held();
    if (place !== null && place.of === placeOf(this.channel, name)) return null;
    const taken = await parts.limits.take(this.channel, name);
    if (taken.taken) return null;
    return heldFor(held(name, 'provider_limit', taken.retryAfterMs), await parts.limits.reserve(this.channel, name));
  }
}
