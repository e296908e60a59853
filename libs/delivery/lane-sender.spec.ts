import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '#domain/outcome';
import type { ChannelSender, SendRequest } from '#domain/sender';
import { LaneSender } from './lane-sender.js';

const SENT: Outcome = { kind: 'sent', provider: 'fake', providerMessageId: null, providerStatus: '200' };
const NOW = new Date('2026-11-21T08:00:00.000Z');
const MINUTE = 60_000;

class HangingSender implements ChannelSender {
  readonly channel = 'push';
  readonly batchSize = 10;
  readonly concurrency = 2;
  readonly timeoutMs = 1_000;
  readonly hanging: (() => void)[] = [];
  underWay = 0;
  most = 0;

  async send(batch: readonly SendRequest[]): Promise<Outcome[]> {
    this.underWay += batch.length;
    this.most = Math.max(this.most, this.underWay);
    if (batch.some(({ target }) => target === 'hangs'))
      await new Promise<void>((resolve) => this.hanging.push(resolve));
    this.underWay -= batch.length;
    return batch.map(() => SENT);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

const requestTo = (target: string): SendRequest =>
  ({ deliveryId: target, notificationId: target, target }) as Partial<SendRequest> as SendRequest;
const several = (count: number, target: string): SendRequest[] =>
  Array.from({ length: count }, () => requestTo(target));

describe('LaneSender', () => {
  it('lets small batches that hang hold up no more than themselves', async () => {
    const sender = new HangingSender();
    const lane = new LaneSender(sender, () => NOW);
    const leaseEnd = performance.now() + MINUTE;
    const done: string[] = [];
    const send = (requests: readonly SendRequest[]): Promise<void> =>
      lane.send(requests, leaseEnd, ({ target }) => done.push(target));
    const held = Array.from({ length: 5 }, () => send([requestTo('hangs')]));
    await send(several(10, 'answers'));
    expect(done).toEqual(Array(10).fill('answers'));
    for (const resume of sender.hanging) resume();
    await Promise.all(held);
    expect(done).toHaveLength(15);
  });

  it('has no more under way than the batches of the sender hold', async () => {
    const sender = new HangingSender();
    const lane = new LaneSender(sender, () => NOW);
    const held = lane.send(several(50, 'hangs'), performance.now() + MINUTE, () => undefined);
    let resumed = 0;
    while (resumed < 5) {
      for (const resume of sender.hanging.slice(resumed)) {
        resume();
        resumed += 1;
      }
      await Promise.resolve();
    }
    await held;
    expect(sender.most).toBe(20);
  });
});
