import { setTimeout as delay } from 'node:timers/promises';
import type { CreateNotificationInput } from '#contracts/http/notification';
import type { Channel } from '#contracts/vocabulary';
import { itemId } from '#domain/item-ids';

export const SERVICES = ['diabetes', 'wellness'] as const;

/** What is done to the platform when so much of the load was let go. */
export interface Disturbance {
  /** 0 to 1 */
  at: number;
  act: () => Promise<unknown>;
}

export interface LoadOptions {
  count: number;
  /** Over how long, at least; the acts may need longer. */
  seconds: number;
  disturbances?: readonly Disturbance[];
  /** Changes to what is sent one by one. */
  change?: (number: number) => Partial<CreateNotificationInput>;
  /** So many go together as a bulk. */
  perBulk?: number;
}

/** One call, and what a 202 with an id says was accepted. */
interface Request {
  path: string;
  key: string;
  body: string;
  accepts: (id: string) => [key: string, id: string][];
}

const TICK_MS = 50;
const MOST_IN_FLIGHT = 300;
const REPEAT_MS = 100;
const ANSWER_MS = 15_000;

/**
 * Sends notifications, and keeps its own log of what was accepted. What got no answer, or a 5xx, is sent again with
 * the same key until it has one, as a careful client does.
 */
export class Load {
  /** Id by reference, which is the Idempotency-Key of what goes alone, of each 202. */
  readonly accepted = new Map<string, string>();
  /** Keys of which two answers named different notifications. */
  readonly contradicted = new Set<string>();
  private readonly changes = new Map<number, Partial<CreateNotificationInput>>();
  /** Sizes of bulks by the number of their first item. */
  private readonly bulks = new Map<number, number>();
  private next = 0;
  private repeated = 0;
  private sending = false;
  private awaitingBurst: (() => void)[] = [];
  /** Why requests were sent again, and how often each. */
  readonly reasons = new Map<string, number>();

  constructor(
    private readonly gateways: () => readonly string[],
    private readonly key: string,
    private readonly webhook: string,
    private readonly run: string,
  ) {}

  /** Of what was accepted, by the number of its request. */
  idsOf(isMeant: (number: number) => boolean): string[] {
    return [...this.accepted].flatMap(([key, id]) => (isMeant(Number(key.slice(this.run.length + 1))) ? [id] : []));
  }

  /** Requests that were sent again. */
  get repetitions(): number {
    return this.repeated;
  }

  /** Resolves when requests have just been let go and are under way; at once when no more will be. */
  nextBurst(): Promise<void> {
    return this.sending ? new Promise((resolve) => this.awaitingBurst.push(resolve)) : Promise.resolve();
  }

  /**
   * Lets go of the load in small bursts, evenly over the time, and disturbs right after a burst, while its requests are
   * under way. Resolves when all have their answers and all disturbances are over.
   */
  async send({ count, seconds, disturbances = [], change, perBulk }: LoadOptions): Promise<void> {
    const started = performance.now();
    const open = new Set<Promise<void>>();
    const failures: unknown[] = [];
    const acts = disturbances.toSorted((a, b) => a.at - b.at);
    let disturbing: Promise<unknown> = Promise.resolve();
    let acting = false;
    this.sending = true;
    for (let released = 0; released < count && failures.length === 0;) {
      const due = Math.min(count, Math.ceil(((performance.now() - started + TICK_MS) / (seconds * 1000)) * count));
      while (released < due && open.size < MOST_IN_FLIGHT) {
        const size = Math.min(perBulk ?? 1, count - released);
        const changed = change?.(this.next) ?? {};
        if (Object.keys(changed).length > 0) this.changes.set(this.next, changed);
        if (perBulk !== undefined) this.bulks.set(this.next, size);
        const one: Promise<void> = this.sendFrom(this.next)
          .catch((error: unknown) => void failures.push(error))
          .finally(() => open.delete(one));
        this.next += size;
        released += size;
        open.add(one);
      }
      this.tellBurst();
      const [act] = acts;
      if (act !== undefined && !acting && released >= act.at * count) {
        acts.shift();
        acting = true;
        disturbing = act
          .act()
          .catch((error: unknown) => void failures.push(error))
          .finally(() => (acting = false));
      }
      await delay(TICK_MS);
    }
    this.sending = false;
    this.tellBurst();
    await disturbing;
    for (const { act } of acts) await act();
    await Promise.all(open);
    if (failures.length > 0) throw failures[0];
  }

  /** Sends some that were accepted once more: a key must go on to mean the same notification. */
  async repeatSome(most: number): Promise<void> {
    const numbers = this.bulks.size > 0 ? [...this.bulks.keys()] : Array.from({ length: this.next }, (_, n) => n);
    const every = Math.max(1, Math.floor(numbers.length / most));
    for (let at = 0; at < numbers.length; at += every) await this.sendFrom(numbers[at] ?? 0);
  }

  private async sendFrom(number: number): Promise<void> {
    const size = this.bulks.get(number);
    const request = size === undefined ? this.alone(number) : this.bulk(number, size);
    for (let attempt = 0; ; attempt += 1) {
      const answered = await this.post(number + attempt, request);
      if (answered !== null) {
        for (const [key, id] of request.accepts(answered)) {
          const before = this.accepted.get(key);
          if (before !== undefined && before !== id) this.contradicted.add(key);
          this.accepted.set(key, before ?? id);
        }
        return;
      }
      this.repeated += 1;
      await delay(REPEAT_MS);
    }
  }

  private alone(number: number): Request {
    const key = `${this.run}-${number}`;
    return {
      path: '/api/notifications',
      key,
      body: JSON.stringify({ ...this.notification(number, key), ...this.changes.get(number) }),
      accepts: (id) => [[key, id]],
    };
  }

  private bulk(first: number, size: number): Request {
    const keys = Array.from({ length: size }, (_, index) => `${this.run}-${first + index}`);
    const [serviceName] = SERVICES;
    const notifications = keys.map((key, index) => ({ ...this.notification(first + index, key), serviceName }));
    return {
      path: '/api/notifications/bulk',
      key: `${this.run}-bulk-${first}`,
      body: JSON.stringify({ serviceName, notifications }),
      accepts: (bulkId) => keys.map((key, index) => [key, itemId(bulkId, index)]),
    };
  }

  private tellBurst(): void {
    for (const resolve of this.awaitingBurst.splice(0)) resolve();
  }

  private again(reason: string): null {
    // Ids of requests and times would make each one different.
    const kind = reason.replace(/"requestId":"[^"]*"/, '').slice(0, 150);
    this.reasons.set(kind, (this.reasons.get(kind) ?? 0) + 1);
    return null;
  }

  private notification(number: number, key: string): CreateNotificationInput {
    const channel = CHANNEL_TURNS[number % CHANNEL_TURNS.length] ?? 'push';
    const to = {
      push: `device-${number}-of-a-chaos-run`,
      email: `user-${number}@example.org`,
      sms: `+33612${String(number % 1_000_000).padStart(6, '0')}`,
      webhook: this.webhook,
    };
    return {
      serviceName: SERVICES[number % 3 === 0 ? 1 : 0],
      userId: `p-${number}`,
      channel,
      to: [to[channel]],
      title: 'Insulin',
      body: 'Time for your 8:00 dose',
      reference: key,
    };
  }

  /** The id; null when it is to be sent again. @throws Error for a refusal, which no repetition changes */
  private async post(turn: number, { path, key, body }: Request): Promise<string | null> {
    const gateways = this.gateways();
    const url = gateways[turn % gateways.length];
    if (url === undefined) return null;
    let status: number;
    let text: string;
    try {
      const response = await fetch(url + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${this.key}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body,
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      return this.again(String(error instanceof Error ? (error.cause ?? error) : error));
    }
    if (status === 202) return (JSON.parse(text) as { id: string }).id;
    if (status >= 500 || text.includes('"idempotency_key_in_use"')) return this.again(`${status} ${text}`);
    throw new Error(`a request was refused: ${status} ${text}`);
  }
}

/** Half by push, the rest by what goes one by one. */
const CHANNEL_TURNS = ['push', 'email', 'push', 'webhook'] as const satisfies readonly Channel[];
