import type { Channel, ChannelModel } from 'amqplib';
import { BINDING_SPECS, EXCHANGE_SPECS, QUEUE_SPECS } from '#contracts/topology';
import { closeQuietly } from './link.js';
import type { BindingSpec, ExchangeSpec, QueueSpec } from '#contracts/topology';

/** What the topology is declared from; tests declare others. */
export interface Topology {
  exchanges: readonly ExchangeSpec[];
  queues: readonly QueueSpec[];
  bindings: readonly BindingSpec[];
}

export const TOPOLOGY: Topology = { exchanges: EXCHANGE_SPECS, queues: QUEUE_SPECS, bindings: BINDING_SPECS };

/** The broker has something of this name already, with other arguments. */
export class TopologyMismatch extends Error {
  override readonly name = 'TopologyMismatch';
}

/** A channel has one request under way at a time, so several of them make the round trips overlap. */
const CHANNELS_USED = 8;
const PRECONDITION_FAILED = 406;

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const explain = (what: string, thrown: unknown): Error => {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (codeOf(error) !== PRECONDITION_FAILED) return error;
  return new TopologyMismatch(
    `RabbitMQ already has the ${what} with other arguments than this version declares, and arguments cannot change. ` +
      `Run the version that declared it, or let it run empty, delete it, and it is declared anew. ` +
      `RabbitMQ says: ${error.message}`,
    { cause: error },
  );
};

const declareExchange = (channel: Channel, spec: ExchangeSpec): Promise<unknown> =>
  channel.assertExchange(spec.name, spec.type, {
    durable: true,
    internal: spec.internal ?? false,
    ...(spec.alternateExchange === undefined ? {} : { alternateExchange: spec.alternateExchange }),
  });

const declareQueue = (channel: Channel, spec: QueueSpec): Promise<unknown> =>
  channel.assertQueue(spec.name, { durable: true, arguments: spec.arguments });

const bind = (channel: Channel, spec: BindingSpec): Promise<unknown> =>
  spec.destinationType === 'queue'
    ? channel.bindQueue(spec.destination, spec.source, spec.key)
    : channel.bindExchange(spec.destination, spec.source, spec.key);

/**
 * Declares exchanges, queues and bindings, all of them durable. Safe to repeat.
 * @throws TopologyMismatch naming the queue or exchange whose arguments differ
 */
export const declareTopology = async (model: ChannelModel, topology: Topology = TOPOLOGY): Promise<void> => {
  const channels = await Promise.all(Array.from({ length: CHANNELS_USED }, () => model.createChannel()));
  // A refused declaration closes its channel, and is thrown below.
  for (const channel of channels) channel.on('error', () => undefined);

  const each = async <S>(
    specs: readonly S[],
    name: (spec: S) => string,
    run: (channel: Channel, spec: S) => Promise<unknown>,
  ): Promise<void> => {
    const ended = await Promise.allSettled(
      specs.map(async (spec, index) => {
        const channel = channels[index % channels.length];
        if (channel === undefined) throw new Error('unreachable');
        await run(channel, spec).catch((error: unknown) => {
          throw explain(name(spec), error);
        });
      }),
    );
    const reasons = ended.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
    // One refusal fails all that waited on the same channel: the refusal itself is what to tell.
    const first =
      reasons.find((reason) => reason instanceof TopologyMismatch || codeOf(reason) !== undefined) ?? reasons[0];
    if (first !== undefined) throw first;
  };

  try {
    await each(topology.exchanges, (spec) => `exchange "${spec.name}"`, declareExchange);
    await each(topology.queues, (spec) => `queue "${spec.name}"`, declareQueue);
    await each(topology.bindings, (spec) => `binding of "${spec.destination}" to "${spec.source}"`, bind);
  } finally {
    await Promise.all(channels.map(closeQuietly));
  }
};
