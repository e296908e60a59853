import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ChannelModel, ConsumeMessage } from 'amqplib';
import { attemptOf, Inbox, RecordingLog, until } from '#testing/messaging';
import { BatchConsumer } from './consumer.js';
import type { BatchConsumerOptions } from './consumer.js';

/** A channel whose deliveries the test decides. */
class FakeChannel extends EventEmitter {
  readonly put: number[] = [];
  readonly acked: number[] = [];
  deliver: (message: ConsumeMessage) => void = () => undefined;
  private tag = 0;

  prefetch = (): Promise<void> => Promise.resolve();
  cancel = (): Promise<void> => Promise.resolve();
  close = (): Promise<void> => Promise.resolve(void this.emit('close'));
  consume(_: string, deliver: (message: ConsumeMessage) => void): Promise<{ consumerTag: string }> {
    this.deliver = deliver;
    return Promise.resolve({ consumerTag: 'tag' });
  }
  ack = ({ fields }: ConsumeMessage): void => void this.acked.push(fields.deliveryTag);
  nack = ({ fields }: ConsumeMessage): void => void this.put.push(fields.deliveryTag);

  /** Delivers messages with these attempts in one turn of the event loop. */
  send(...attempts: number[]): void {
    for (const attempt of attempts) {
      const content = Buffer.from(JSON.stringify({ attempt }));
      this.deliver({ fields: { deliveryTag: ++this.tag }, properties: {}, content } as ConsumeMessage);
    }
  }
}

let channel: FakeChannel;
let consumer: BatchConsumer;

const consume = async (options: Partial<BatchConsumerOptions>): Promise<void> => {
  channel = new FakeChannel();
  consumer = new BatchConsumer({
    queue: 'queue',
    log: new RecordingLog(),
    onBatch: () => Promise.resolve(),
    onRefused: () => Promise.resolve(),
    ...options,
  });
  const model = { createChannel: () => Promise.resolve(channel) } as unknown as ChannelModel;
  await consumer.attach({ model, signal: new AbortController().signal, redeclare: () => Promise.resolve() });
};

afterEach(async () => {
  await consumer.stop();
  await consumer.finished();
});

describe('BatchConsumer', () => {
  it('gathers larger batches while it is busy, up to the maximum, and never more at once than allowed', async () => {
    const sizes = new Inbox<number>();
    const release = Promise.withResolvers<void>();
    let now = 0;
    let most = 0;
    await consume({
      concurrency: 2,
      maxBatch: 4,
      gatherMs: 60_000,
      onBatch: async (messages) => {
        most = Math.max(most, ++now);
        sizes.add(messages.length);
        await release.promise;
        now--;
      },
    });
    channel.send(1);
    await sizes.first(1);
    channel.send(2, 3);
    await turn();
    expect(sizes.items).toEqual([1]);
    channel.send(4, 5, 6, 7, 8, 9, 10);
    await sizes.first(2);
    release.resolve();
    expect(await sizes.first(4)).toEqual([1, 4, 4, 1]);
    expect(most).toBe(2);
  });

  it('rests between batches, until it is stopped', async () => {
    const seen = new Inbox<number>();
    const only = (pauseMs: number): Promise<void> =>
      consume({
        concurrency: 1,
        maxBatch: 1,
        pauseMs,
        onBatch: (messages) => Promise.resolve(seen.add(...messages.map(attemptOf))),
      });
    await only(1);
    channel.send(1, 2);
    expect(await seen.first(2)).toEqual([1, 2]);
    await consumer.stop();
    await only(3_600_000);
    channel.send(3, 4);
    await seen.first(3);
    await until(() => channel.acked.length === 1);
    for (let turns = 0; turns < 10; turns += 1) await turn();
    expect(seen.items).toEqual([1, 2, 3]);
    expect(consumer.inHand).toBe(0);
    await consumer.stop();
    expect(channel.put).toEqual([2]);
  });

  it('does not let a few wait for company for long', async () => {
    const seen = new Inbox<number>();
    const release = Promise.withResolvers<void>();
    await consume({
      gatherMs: 1,
      onBatch: (messages) => {
        seen.add(...messages.map(attemptOf));
        return seen.items.length > 1 ? Promise.resolve() : release.promise;
      },
    });
    channel.send(1);
    await seen.first(1);
    channel.send(2, 3);
    expect(await seen.first(3)).toEqual([1, 2, 3]);
    release.resolve();
  });

  it('tries three of a batch that failed, and gives all of it back when none succeeds', async () => {
    const calls = new Inbox<number[]>();
    await consume({
      onBatch: (messages) => {
        calls.add(messages.map(attemptOf));
        return Promise.reject(new Error('broken'));
      },
    });
    channel.send(1, 2, 3, 4, 5, 6);
    expect(await calls.first(4)).toEqual([[1, 2, 3, 4, 5, 6], [1], [2], [3]]);
    await turn();
    expect(calls.items).toHaveLength(4);
    expect(channel.put).toEqual([]);
    await consumer.stop();
    await consumer.finished();
    expect(channel.put).toEqual([1, 2, 3, 4, 5, 6]);
    expect(channel.acked).toEqual([]);
  });

  it('tries every one as long as others succeed', async () => {
    const calls = new Inbox<number[]>();
    const done = new Inbox<number>();
    await consume({
      onBatch: (messages) => {
        calls.add(messages.map(attemptOf));
        if (messages.some((message) => attemptOf(message) > 1)) return Promise.reject(new Error('broken'));
        return Promise.resolve(done.add(1));
      },
    });
    channel.send(1, 2, 3, 4, 5);
    expect(await calls.first(6)).toEqual([[1, 2, 3, 4, 5], [1], [2], [3], [4], [5]]);
  });

  it('hands over nothing of a channel that is gone', async () => {
    const seen = new Inbox();
    await consume({ onBatch: (messages) => Promise.resolve(seen.add(...messages)) });
    channel.send(1, 2);
    channel.emit('close');
    await turn();
    expect(seen.items).toEqual([]);
  });
});
