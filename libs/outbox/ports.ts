import type { MessageOf, MessageType } from '#contracts/messages';

interface Envelope<T extends MessageType> {
  exchange: string;
  routingKey: string;
  type: T;
  payload: MessageOf<T>;
  messageId: string;
  correlationId?: string;
  traceparent?: string;
  /** Whether the broker must find a queue for it. */
  mandatory: boolean;
}
export type Outgoing<T extends MessageType> = T extends MessageType ? Envelope<T> : never;
export type OutgoingMessage = { [T in MessageType]: Envelope<T> }[MessageType];

export type PublishResult = 'confirmed' | 'returned' | 'nacked' | 'unavailable';

export interface MessagePublisher {
  /** One result each, in order; never rejects. */
  publish(messages: readonly OutgoingMessage[]): Promise<PublishResult[]>;
}

export interface OutboxStore {
  /** These were told: nothing is owed any more, where the version is still the one that was told. */
  clearOutbox(serviceName: string, told: readonly { id: string; version: number }[]): Promise<void>;
  /** All but the wake-up was told, which is owed when `nextAttemptAt` comes. */
  deferWake(serviceName: string, told: readonly { id: string; version: number }[]): Promise<void>;
}
