import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Announcement } from '#domain/announcement';
import { notificationOf } from '#testing/memory-delivery';
import { OutboxPublisher } from './outbox.js';
import type { MessagePublisher, OutboxStore, OutgoingMessage, PublishResult } from './ports.js';

class FakePublisher implements MessagePublisher {
  readonly published: OutgoingMessage[][] = [];
  answer: (message: OutgoingMessage) => PublishResult = () => 'confirmed';

  publish(messages: readonly OutgoingMessage[]): Promise<PublishResult[]> {
    this.published.push([...messages]);
    return Promise.resolve(messages.map((message) => this.answer(message)));
  }
  get all(): OutgoingMessage[] {
    return this.published.flat();
  }
}

class FakeStore implements OutboxStore {
  readonly cleared: string[] = [];
  readonly deferred: string[] = [];
  down = false;

  clearOutbox(serviceName: string, told: readonly { id: string; version: number }[]): Promise<void> {
    if (this.down) return Promise.reject(new Error('down'));
    this.cleared.push(...told.map(({ id, version }) => `${serviceName}:${id}:${version}`));
    return Promise.resolve();
  }
  deferWake(serviceName: string, told: readonly { id: string; version: number }[]): Promise<void> {
    this.deferred.push(...told.map(({ id, version }) => `${serviceName}:${id}:${version}`));
    return Promise.resolve();
  }
}

describe('OutboxPublisher', () => {
  let publisher: FakePublisher;
  let store: FakeStore;
  let problems: string[];
  let outbox: OutboxPublisher;

  beforeEach(() => {
    publisher = new FakePublisher();
    store = new FakeStore();
    problems = [];
    outbox = new OutboxPublisher({
      publisher,
      store,
      onProblem: (problem, count) => problems.push(`${problem} ${count}`),
    });
  });

  const announcement = (over: Partial<Announcement> = {}): Announcement => ({
    notification: notificationOf({ traceparent: '00-1-2-01' }),
    wake: 'now',
    status: { previous: null },
    deadLetter: false,
    ...over,
  });
  const inAnotherLane = (): Announcement => announcement({ notification: notificationOf({ lane: 'bulk' }) });
  const key = ({ notification }: Announcement): string => `diabetes:${notification.id}:${notification.version}`;

  it('wakes those of one lane of a service by one message, ten at the most', async () => {
    const all = Array.from({ length: 12 }, () => announcement());
    const other = announcement({ notification: notificationOf({ serviceName: 'wellness' }) });
    const alone = announcement({ notification: notificationOf({ alone: true }) });
    outbox.announce([...all, other, alone]);
    await outbox.drained();
    const wakes = publisher.all.flatMap((message) => (message.type === 'notification.deliver' ? [message] : []));
    const ids = wakes.map(({ payload }) => [payload.notificationId, ...payload.others]);
    const expected = all.map(({ notification }) => notification.id);
    expect(ids.toSorted((a, b) => b.length - a.length)).toEqual([
      expected.slice(0, 10),
      expected.slice(10),
      ...ids.filter((one) => one.length === 1),
    ]);
    expect(
      ids
        .filter((one) => one.length === 1)
        .flat()
        .sort(),
    ).toEqual([other.notification.id, alone.notification.id].sort());
    expect(store.cleared).toHaveLength(14);
  });

  it('keeps all owed whose common message the broker did not take', async () => {
    const all = Array.from({ length: 3 }, () => announcement());
    publisher.answer = ({ type }) => (type === 'notification.deliver' ? 'nacked' : 'confirmed');
    outbox.announce(all);
    await outbox.drained();
    expect(store.cleared).toEqual([]);
    expect(problems).toEqual(['nacked 3']);
  });

  it('publishes together what is announced together, wake-ups first, and clears what was confirmed', async () => {
    const all = [announcement(), inAnotherLane()];
    outbox.announce(all);
    await outbox.drained();
    expect(publisher.all.map(({ type, routingKey, mandatory }) => [type, routingKey, mandatory])).toEqual([
      ['notification.deliver', 'notification.deliver.email.normal', true],
      ['notification.deliver', 'notification.deliver.email.bulk', true],
      ['notification.status', 'notification.status', false],
      ['notification.status', 'notification.status', false],
    ]);
    expect(store.cleared).toEqual(all.map(key));
    expect(publisher.all[0]).toMatchObject({ traceparent: '00-1-2-01', payload: { attempt: 1, alone: false } });
  });

  it('sends a wake-up that has to wait through the ladder', async () => {
    outbox.announce([announcement({ wake: { rung: 4, variant: 2, ms: 4400 }, status: null })]);
    await outbox.drained();
    expect(publisher.all).toMatchObject([{ exchange: 'notification-retry', routingKey: 'wait.4.2.email.normal' }]);
  });

  it('tells the dead letters of a failure', async () => {
    outbox.announce([
      announcement({ wake: 'none', deadLetter: true, notification: notificationOf({ state: 'failed', round: 2 }) }),
    ]);
    await outbox.drained();
    expect(publisher.all).toMatchObject([
      { exchange: 'notification-dead', routingKey: 'failed', type: 'notification.failed', payload: { round: 2 } },
      { type: 'notification.status', payload: { status: 'failed', final: true, previousStatus: null } },
    ]);
  });

  it('leaves the wake-up of a scheduled one to the scheduler', async () => {
    const later = announcement({ wake: 'later' });
    outbox.announce([later]);
    await outbox.drained();
    expect(publisher.all.map(({ type }) => type)).toEqual(['notification.status']);
    expect([store.cleared, store.deferred]).toEqual([[], [key(later)]]);
  });

  it.each(['returned', 'nacked', 'unavailable'] as const)(
    'leaves to the relay what is %s, and says so',
    async (result) => {
      const [lost, told] = [announcement(), inAnotherLane()];
      publisher.answer = (message) =>
        message.type === 'notification.deliver' && message.messageId.startsWith(lost.notification.id)
          ? result
          : 'confirmed';
      outbox.announce([lost, told]);
      await outbox.drained();
      expect(store.cleared).toEqual([key(told)]);
      expect(problems).toEqual([`${result} 1`]);
    },
  );

  it('leaves to the relay what does not fit into memory', async () => {
    outbox.announce(Array.from({ length: 20_010 }, () => announcement({ wake: 'none' })));
    await outbox.drained();
    expect(publisher.all).toHaveLength(20_000);
    expect(Math.max(...publisher.published.map((batch) => batch.length))).toBe(500);
    expect(problems).toEqual(['dropped 10']);
  });

  describe('announced together for somebody who remembers it', () => {
    const told: boolean[] = [];
    const hear = (allConfirmed: boolean): void => void told.push(allConfirmed);
    beforeEach(() => void told.splice(0));

    it('is told once, and no document is cleared', async () => {
      outbox.announce(
        Array.from({ length: 1_200 }, () => announcement()),
        hear,
      );
      outbox.announce([announcement()]);
      await outbox.drained();
      expect(told).toEqual([true]);
      expect(store.cleared).toHaveLength(1);
    });

    it('is told so when the broker did not confirm one of them', async () => {
      const lost = announcement();
      publisher.answer = ({ messageId }) => (messageId.startsWith(lost.notification.id) ? 'unavailable' : 'confirmed');
      outbox.announce([announcement(), lost, ...Array.from({ length: 1_000 }, () => announcement())], hear);
      await outbox.drained();
      expect(told).toEqual([false]);
    });

    it('is told so when some of it, or all, does not fit into memory', async () => {
      const many = (count: number): Announcement[] =>
        Array.from({ length: count }, () => announcement({ wake: 'none' }));
      outbox.announce(many(21_600), hear);
      outbox.announce(many(2_000));
      outbox.announce(many(10), hear);
      expect(told).toEqual([false]);
      await outbox.drained();
      expect(told).toEqual([false, false]);
    });

    it('holds up the end until what hears it is done', async () => {
      const written = Promise.withResolvers<void>();
      outbox.announce([announcement()], () => written.promise);
      let isDrained = false;
      const drained = outbox.drained().then(() => (isDrained = true));
      for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(isDrained).toBe(false);
      written.resolve();
      await drained;
    });
  });

  it('goes on when the outbox cannot be cleared', async () => {
    store.down = true;
    outbox.announce([announcement()]);
    await outbox.drained();
    expect(problems).toEqual(['clear_failed 1']);
    store.down = false;
    const next = announcement();
    outbox.announce([next]);
    await outbox.drained();
    expect(store.cleared).toEqual([key(next)]);
  });
});
