import type { Bulks } from '#acceptance/bulks';
import type { Door } from '#acceptance/door';
import type { Groups } from '#acceptance/groups';
import type { Channel } from '#contracts/vocabulary';
import { DomainError } from '#domain/errors';
import type { Outcome } from '#domain/outcome';
import type { ChannelSender, SendRequest } from '#domain/sender';
import type { Span, SpanFacts, Tracing } from '#observability/tracing';

/** Spans around what the use cases do. Where nothing is traced, the parts are handed out as they are. */

/** Runs `work` with the traceparent for what it makes: the caller's own or, where there is none, the span's. */
const accepting = async <T>(
  span: Span,
  given: string | null,
  work: (traceparent: string) => Promise<T>,
  factsOf: (result: T) => SpanFacts,
): Promise<T> => {
  try {
    const result = await work(given ?? span.traceparent);
    span.end(factsOf(result));
    return result;
  } catch (error) {
    const code = error instanceof DomainError ? error.code : 'internal_error';
    const ours = code === 'internal_error' || code === 'unavailable';
    span.end({ 'carillon.outcome': code }, ours ? code : undefined);
    throw error;
  }
};

const acceptedAs = (replayed: boolean): string => (replayed ? 'replayed' : 'accepted');

export const tracedDoor = (door: Pick<Door, 'accept'>, tracing: Tracing | null): Pick<Door, 'accept'> =>
  tracing === null
    ? door
    : {
        accept: (caller, command) =>
          accepting(
            tracing.start('accept', 'server', command.traceparent, { 'carillon.channel': command.input.channel }),
            command.traceparent,
            (traceparent) => door.accept(caller, { ...command, traceparent }),
            ({ notification, replayed }) => ({
              'carillon.notification.id': notification.id,
              'carillon.service': notification.serviceName,
              'carillon.outcome': acceptedAs(replayed),
            }),
          ),
      };

export const tracedBulks = (bulks: Pick<Bulks, 'accept'>, tracing: Tracing | null): Pick<Bulks, 'accept'> =>
  tracing === null
    ? bulks
    : {
        accept: (caller, command) =>
          accepting(
            tracing.start('accept bulk', 'server', command.traceparent, {}),
            command.traceparent,
            (traceparent) => bulks.accept(caller, { ...command, traceparent }),
            ({ bulkId, serviceName, replayed }) => ({
              'carillon.bulk.id': bulkId,
              'carillon.service': serviceName,
              'carillon.outcome': acceptedAs(replayed),
            }),
          ),
      };

export const tracedGroups = (groups: Pick<Groups, 'accept'>, tracing: Tracing | null): Pick<Groups, 'accept'> =>
  tracing === null
    ? groups
    : {
        accept: (caller, command) =>
          accepting(
            tracing.start('accept group', 'server', command.traceparent, {}),
            command.traceparent,
            (traceparent) => groups.accept(caller, { ...command, traceparent }),
            ({ groupId, replayed }) => ({ 'carillon.group.id': groupId, 'carillon.outcome': acceptedAs(replayed) }),
          ),
      };

const endWith = (span: Span, outcome: Outcome | undefined): void => {
  if (outcome === undefined) return span.end({}, 'sender_failed');
  const facts = { 'carillon.outcome': outcome.kind, 'carillon.provider': outcome.provider };
  if (outcome.kind === 'sent') span.end(facts);
  else span.end({ ...facts, 'carillon.code': outcome.code }, outcome.code);
};

/** One span for each attempt of a delivery; the provider is told of that one. */
const tracedSender = (sender: ChannelSender, tracing: Tracing): ChannelSender => {
  const { channel, batchSize, concurrency, timeoutMs } = sender;
  const begin = (request: SendRequest): Span =>
    tracing.start('deliver', 'consumer', request.traceparent, {
      'carillon.notification.id': request.notificationId,
      'carillon.delivery.id': request.deliveryId,
      'carillon.channel': channel,
      'carillon.service': request.serviceName,
      'carillon.attempt': request.attempt,
    });
  return {
    channel,
    batchSize,
    concurrency,
    timeoutMs,
    async send(batch, signal) {
      const spans = batch.map(begin);
      let outcomes: readonly Outcome[] = [];
      try {
        const told = batch.map((request, at) => ({ ...request, traceparent: spans[at]?.traceparent ?? null }));
        return [...(outcomes = await sender.send(told, signal))];
      } finally {
        spans.forEach((span, at) => endWith(span, outcomes[at]));
      }
    },
    close: () => sender.close(),
  };
};

export const tracedSenders = (
  senders: Readonly<Record<Channel, ChannelSender>>,
  tracing: Tracing | null,
): Readonly<Record<Channel, ChannelSender>> =>
  tracing === null
    ? senders
    : (Object.fromEntries(
        Object.entries(senders).map(([channel, sender]) => [channel, tracedSender(sender, tracing)]),
      ) as Record<Channel, ChannelSender>);
