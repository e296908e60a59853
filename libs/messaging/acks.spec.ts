import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Channel, ConsumeMessage } from 'amqplib';
import { Acks } from './acks.js';

class FakeChannel extends EventEmitter {
  readonly frames: string[] = [];
  closing = false;
  ack(message: ConsumeMessage, all: boolean): void {
    if (this.closing) throw new Error('Channel closing');
    this.frames.push(`ack ${message.fields.deliveryTag}${all ? ' and below' : ''}`);
  }
  nack(message: ConsumeMessage): void {
    this.frames.push(`nack ${message.fields.deliveryTag}`);
  }
}

const message = (deliveryTag: number): ConsumeMessage => ({ fields: { deliveryTag } }) as ConsumeMessage;

let channel: FakeChannel;
let acks: Acks;
const ack = (...tags: number[]): void => {
  for (const tag of tags) acks.ack(message(tag));
};

beforeEach(() => {
  channel = new FakeChannel();
  acks = new Acks(channel as unknown as Channel);
});

describe('Acks', () => {
  it('settles a run from the lowest with one frame, in whatever order it was acknowledged', async () => {
    ack(3, 1, 2);
    await turn();
    expect(channel.frames).toEqual(['ack 3 and below']);
  });

  it('never acknowledges what is open', async () => {
    ack(2, 4, 5);
    await turn();
    expect(channel.frames).toEqual(['ack 2', 'ack 4', 'ack 5']);
  });

  it('closes the gap later with a tag that is not settled yet', async () => {
    ack(2, 3);
    await turn();
    ack(1, 5);
    await turn();
    expect(channel.frames).toEqual(['ack 2', 'ack 3', 'ack 1 and below', 'ack 5']);
  });

  it('counts what was put back as settled', async () => {
    acks.requeue(message(1));
    ack(2, 3);
    await turn();
    expect(channel.frames).toEqual(['nack 1', 'ack 3 and below']);
  });

  it('does nothing once the channel is gone', async () => {
    ack(1);
    channel.emit('close');
    ack(2);
    acks.requeue(message(3));
    await turn();
    expect(channel.frames).toEqual([]);
    expect(acks.open).toBe(false);
  });

  it('survives a channel that is closing and has not said so', () => {
    channel.closing = true;
    ack(1);
    acks.flush();
    expect(acks.open).toBe(false);
  });
});
