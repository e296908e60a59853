import { isUtf8 } from 'node:buffer';
import type { ConsumeMessage } from 'amqplib';
import type { Acks } from './acks.js';
import type { Refusal } from './errors.js';

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const NOT_JSON: Refusal = {
  code: 'malformed_json',
  errors: [{ in: 'body', field: '', code: 'malformed_json', message: 'must be JSON in UTF-8' }],
};

/** One death of a message that was dead-lettered, as `x-death` has it. */
export interface Death {
  queue: string;
  /** `rejected`, `expired`, `maxlen` or `delivery_limit`. */
  reason: string;
  count: number;
}

/** A message in hand. Nothing of it has been checked but that it is JSON. */
export class IncomingMessage {
  /** Why it goes to the dead letters, once somebody has said so. */
  refusal: Refusal | null = null;
  private isSettled = false;
  private parsed: unknown;
  private isParsed = false;

  constructor(
    readonly queue: string,
    private readonly raw: ConsumeMessage,
    private readonly acks: Acks,
  ) {}

  /** The parsed body; undefined where it is not JSON, and then `refusal` is set. */
  get payload(): unknown {
    if (!this.isParsed) {
      this.isParsed = true;
      try {
        if (!isUtf8(this.raw.content)) throw new SyntaxError('not UTF-8');
        this.parsed = JSON.parse(this.raw.content.toString());
      } catch {
        this.refusal = NOT_JSON;
      }
    }
    return this.parsed;
  }

  get content(): Buffer {
    return this.raw.content;
  }

  get exchange(): string {
    return this.raw.fields.exchange;
  }

  get routingKey(): string {
    return this.raw.fields.routingKey;
  }

  get redelivered(): boolean {
    return this.raw.fields.redelivered;
  }

  get type(): string | null {
    return text(this.raw.properties.type);
  }

  get messageId(): string | null {
    return text(this.raw.properties.messageId);
  }

  get correlationId(): string | null {
    return text(this.raw.properties.correlationId);
  }

  /** Who published it: RabbitMQ refuses a publisher that names another user than its own. */
  get userId(): string | null {
    return text(this.raw.properties.userId);
  }

  get traceparent(): string | null {
    return text(this.header('traceparent'));
  }

  /** Milliseconds since 1970, as its publisher says; the wire carries whole seconds. */
  get timestamp(): number | null {
    const seconds: unknown = this.raw.properties.timestamp;
    return typeof seconds === 'number' ? seconds * 1_000 : null;
  }

  /** How often a quorum queue has had it back. 0 the first time. */
  get deliveryCount(): number {
    const count = this.header('x-delivery-count');
    return typeof count === 'number' ? count : 0;
  }

  /** Latest first; empty for a message that was never dead-lettered. */
  get deaths(): Death[] {
    const deaths = this.header('x-death');
    if (!Array.isArray(deaths)) return [];
    return deaths.flatMap((death: unknown): Death[] => {
      if (typeof death !== 'object' || death === null) return [];
      const { queue, reason, count } = death as Record<string, unknown>;
      return [{ queue: text(queue) ?? '', reason: text(reason) ?? '', count: typeof count === 'number' ? count : 1 }];
    });
  }

  header(name: string): unknown {
    return this.raw.properties.headers?.[name];
  }

  /** Neither acknowledged nor put back, on a channel that still exists. */
  get open(): boolean {
    return !this.isSettled && this.acks.open;
  }

  /** Only what is done for good, or written down for good, is acknowledged. */
  ack(): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.acks.ack(this.raw);
  }

  /** To the dead letters, as soon as the handler has ended. */
  refuse(refusal: Refusal): void {
    this.refusal = refusal;
  }

  /** Back to the queue at once, which counts the delivery. */
  requeue(): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.acks.requeue(this.raw);
  }
}
