import type { Channel } from '#contracts/vocabulary';
import { placeOf } from '#domain/limits';
import type { Outcome, TriedProvider } from '#domain/outcome';
import type { ProviderFigures, ProviderParts } from '#domain/providers';
import type { ChannelSender, SendRequest } from '#domain/sender';
import { Deadline } from '../deadline.js';
import { gaveUp, held, heldFor } from '../outcomes.js';
import { ProviderLine } from './line.js';
import type { Provider } from './provider.js';

export interface FailoverOptions {
  channel: Channel;
  /** In the order in which they are asked. */
  providers: readonly [Provider, ...Provider[]];
  /** Services that have an order of their own, of the names of providers. */
  orders: ReadonlyMap<string, readonly string[]>;
  concurrency: number;
  /** For one message, over all providers that are asked. */
  timeoutMs: number;
  halfOpenMs: number;
  parts: ProviderParts;
  /** Lets go of connections. */
  close: () => Promise<void>;
}

interface Way {
  provider: Provider;
  line: ProviderLine;
}

type Held = Outcome & { kind: 'held' };

/**
 * Sends one by one, by the first provider that takes the message: on outage, timeout, refused credentials or an
 * exhausted limit the next one takes over, in the same attempt and within the same time limit.
 */
export class FailoverSender implements ChannelSender {
  readonly channel: Channel;
  readonly batchSize = 1;
  readonly concurrency: number;
  readonly timeoutMs: number;
  private readonly ways: readonly Way[];
  private readonly byService = new Map<string, readonly Way[]>();

  constructor(private readonly options: FailoverOptions) {
    const { channel, providers, orders, concurrency, timeoutMs, halfOpenMs, parts } = options;
    this.channel = channel;
    this.concurrency = concurrency;
    this.timeoutMs = timeoutMs;
    const names = providers.map(({ name }) => name);
    this.ways = providers.map((provider) => {
      const { name } = provider;
      const services = [...orders, ['*', names] as const].flatMap(([serviceName, order]) =>
        order.includes(name) ? [{ serviceName, order: order.indexOf(name) + 1 }] : [],
      );
      const isOutage = (outcome: Outcome): boolean => provider.isOutage(outcome);
      return { provider, line: new ProviderLine({ channel, name, isOutage, services, halfOpenMs, parts }) };
    });
    for (const [serviceName, order] of orders)
      this.byService.set(
        serviceName,
        order.flatMap((name) => this.ways.filter(({ provider }) => provider.name === name)),
      );
  }

  send(batch: readonly SendRequest[], signal: AbortSignal): Promise<Outcome[]> {
    return Promise.all(batch.map((request) => this.sendOne(request, signal)));
  }

  figures(): ProviderFigures[] {
    return this.ways.map(({ line }) => line.figures());
  }

  close(): Promise<void> {
    return this.options.close();
  }

  private async sendOne(request: SendRequest, lease: AbortSignal): Promise<Outcome> {
    const end = performance.now() + this.timeoutMs;
    const ways = this.byService.get(request.serviceName) ?? this.ways;
    const before: Outcome[] = [];
    for (const [index, way] of ways.entries()) {
      const leftMs = end - performance.now();
      if (leftMs <= 0) break;
      // Each one that could take over gets the same part of what is left.
      const others = ways.slice(index + 1).filter(({ line }) => line.closed === null).length;
      const outcome =
        (await this.holdOf(way.line, request)) ?? (await this.ask(way, request, leftMs / (others + 1), lease));
      if (outcome.kind !== 'held') this.noteFailover(before, outcome.provider);
      if (isFinal(outcome, before, request) || lease.aborted) return withTried(outcome, before);
      before.push(outcome);
    }
    return before.every(isHeld) ? this.hold(before.filter(isHeld)) : lastWord(before);
  }

  /** Why this one is not to be asked now; null when it is, and then its limit has a place for it. */
  private async holdOf(line: ProviderLine, { place }: SendRequest): Promise<Held | null> {
    if (line.closed !== null) return line.held();
    if (place !== null && place.of === placeOf(this.channel, line.name)) return null;
    const taken = await this.options.parts.limits.take(this.channel, line.name);
    return taken.taken ? null : held(line.name, 'provider_limit', taken.retryAfterMs);
  }

  private async ask({ provider, line }: Way, request: SendRequest, ms: number, lease: AbortSignal): Promise<Outcome> {
    const deadline = new Deadline(ms, lease);
    try {
      const outcomes = await line.call(async () => [await provider.send(request, deadline)], lease);
      return outcomes?.[0] ?? line.held();
    } finally {
      deadline.clear();
    }
  }

  /** Nobody was asked. Where only a limit stands between, the first of those gives a place for later. */
  private async hold(holds: readonly Held[]): Promise<Outcome> {
    const limited = holds.find(({ reason }) => reason === 'rate_limit');
    if (limited !== undefined) {
      const place = await this.options.parts.limits.reserve(this.channel, limited.provider);
      return heldFor(limited, place);
    }
    const soonest = holds.toSorted((a, b) => a.retryAfterMs - b.retryAfterMs)[0];
    return soonest ?? gaveUp(this.channel, 'timeout', false);
  }

  private noteFailover(before: readonly Outcome[], to: string): void {
    const last = before.at(-1);
    if (last === undefined) return;
    const why = before.some(({ kind }) => kind === 'uncertain') ? 'uncertain' : last.kind;
    this.options.parts.onFailover?.(this.channel, last.provider, to, why);
  }
}

const isHeld = (outcome: Outcome): outcome is Held => outcome.kind === 'held';

/** Whether no other provider is to be asked. */
const isFinal = (outcome: Outcome, before: readonly Outcome[], { atMostOnce }: SendRequest): boolean => {
  switch (outcome.kind) {
    case 'sent':
      return true;
    case 'permanent':
    case 'recipient_gone':
      // Where the recipient and the content are not to blame, another may do better; what may have arrived did not fail.
      return outcome.class !== 'provider' && !before.some(({ kind }) => kind === 'uncertain');
    case 'uncertain':
      return atMostOnce;
    default:
      return false;
  }
};

/** What an attempt that ended nowhere is known by: what matters most for the next one comes first. */
const WEIGHT: readonly Outcome['kind'][] = ['uncertain', 'transient', 'provider_down', 'credentials', 'rate_limited'];
const weightOf = ({ kind }: Outcome): number => (WEIGHT.includes(kind) ? WEIGHT.indexOf(kind) : WEIGHT.length);

/** Some were asked and none took it. One that could not be asked may do better the next time. */
const lastWord = (answers: readonly Outcome[]): Outcome => {
  const [word] = answers.filter((answer) => !isHeld(answer)).toSorted((a, b) => weightOf(a) - weightOf(b));
  if (word === undefined) throw new Error('nobody was asked');
  const others = answers.filter((answer) => answer !== word);
  return withTried(word.kind === 'permanent' && answers.some(isHeld) ? { ...word, kind: 'transient' } : word, others);
};

const triedOf = (outcome: Outcome): TriedProvider => ({
  provider: outcome.provider,
  outcome: outcome.kind,
  code: outcome.kind === 'sent' ? null : outcome.code,
  providerStatus: outcome.providerStatus,
});

const withTried = (outcome: Outcome, others: readonly Outcome[]): Outcome =>
  others.length === 0 ? outcome : { ...outcome, tried: others.map(triedOf) };
