import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Wake } from '#contracts/messages';
import type { Notification } from '#domain/notification';
import type { Failure, Outcome } from '#domain/outcome';
import type { Settlement } from '#domain/settle';
import type { ChannelSender, SendRequest } from '#domain/sender';
import { RecordingAnnouncer } from '#testing/memory-acceptance';
import { MemoryChannelLimits } from '#testing/memory-limits';
import {
  MemoryClaimDebts,
  MemoryDeliveryStore,
  MemoryRecipientTargets,
  notificationOf,
} from '#testing/memory-delivery';
import { Deliverer } from './deliverer.js';

const NOW = new Date('2026-11-21T08:00:00.000Z');

const FAILURE: Failure = {
  provider: 'fake',
  code: 'busy',
  class: 'provider',
  message: 'said busy',
  providerStatus: '500',
};
const failure = (kind: Exclude<Outcome['kind'], 'sent' | 'rate_limited' | 'held'>): Outcome => ({
  ...FAILURE,
  kind,
  class: kind === 'permanent' || kind === 'recipient_gone' ? 'recipient' : 'provider',
});
const SENT: Outcome = { kind: 'sent', provider: 'fake', providerMessageId: 'm-1', providerStatus: '200' };

class ScriptedSender implements ChannelSender {
  readonly channel = 'email';
  readonly batchSize: number = 2;
  readonly concurrency: number = 2;
  timeoutMs = 1_000;
  readonly batches: (readonly SendRequest[])[] = [];
  answer: (request: SendRequest) => Outcome = () => SENT;
  broken = false;

  send(batch: readonly SendRequest[]): Promise<Outcome[]> {
    this.batches.push(batch);
    return this.broken
      ? Promise.reject(new Error('bug'))
      : Promise.resolve(batch.map((request) => this.answer(request)));
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  get requests(): SendRequest[] {
    return this.batches.flat();
  }
}

const IN_HAND = 12;

const wakeOf = (notification: Notification, alone = false): Wake => ({
  schemaVersion: 1,
  notificationId: notification.id,
  others: [],
  serviceName: notification.serviceName,
  attempt: 1,
  alone,
});

describe('Deliverer', () => {
  let store: MemoryDeliveryStore;
  let debts: MemoryClaimDebts;
  let recipients: MemoryRecipientTargets;
  let sender: ScriptedSender;
  let channelLimits: MemoryChannelLimits;
  let announcer: RecordingAnnouncer;
  let problems: string[];
  let deliverer: Deliverer;

  beforeEach(() => {
    store = new MemoryDeliveryStore(NOW);
    debts = new MemoryClaimDebts();
    recipients = new MemoryRecipientTargets();
    sender = new ScriptedSender();
    channelLimits = new MemoryChannelLimits(NOW);
    announcer = new RecordingAnnouncer();
    problems = [];
    deliverer = new Deliverer({
      store,
      debts,
      recipients,
      senders: { push: sender, email: sender, sms: sender, webhook: sender, slack: sender, 'in-app': sender },
      channelLimits,
      announcer,
      inHand: IN_HAND,
      now: () => NOW,
      random: () => 0,
      onProblem: (problem) => problems.push(problem),
    });
  });

  const deliver = (...notifications: Notification[]): Promise<void[]> =>
    Promise.all(notifications.map((notification) => deliverer.deliver('email', 'normal', wakeOf(notification))));
  const stateOf = (notification: Notification): Notification => store.get(notification.id);

  it('claims together, sends in batches of the sender, settles and announces', async () => {
    const all = Array.from({ length: 5 }, () => store.add(notificationOf({ to: ['ada@example.org'] })));
    await deliver(...all);
    expect(store.claims).toBe(1);
    expect(sender.batches.map((batch) => batch.length)).toEqual([2, 2, 1]);
    expect(all.map((one) => stateOf(one).state)).toEqual(Array(5).fill('sent'));
    expect(announcer.announcements.map(({ status, wake, deadLetter }) => ({ status, wake, deadLetter }))).toEqual(
      Array(5).fill({ status: { previous: 'pending' }, wake: 'none', deadLetter: false }),
    );
  });

  describe('where a claim owes', () => {
    const many = (): Notification[] =>
      Array.from({ length: 8 }, () => store.add(notificationOf({ to: ['ada@example.org'] })));
    const settlements = (): Settlement[] => {
      const all: Settlement[] = [];
      const settle = store.settle.bind(store);
      store.settle = (batch) => settle((all.push(...batch), batch));
      return all;
    };

    it('lets it owe what was sent, until that is told', async () => {
      const written = settlements();
      announcer.confirms = null;
      await deliver(...many());
      expect(written.map(({ owedByClaim }) => owedByClaim)).toEqual(Array(8).fill(true));
      await deliverer.close();
      expect(debts.owed.size).toBe(1);
      for (const told of announcer.open) await told(true);
      await deliverer.close();
      expect(debts.owed.size).toBe(0);
    });

    it('lets each owe for itself where that could not be written, or it was not sent', async () => {
      const written = settlements();
      sender.answer = ({ notificationId }) => (notificationId === refused?.id ? failure('permanent') : SENT);
      const all = many();
      const [refused] = all;
      await deliver(...all);
      expect(written.filter(({ owedByClaim }) => owedByClaim !== true).map(({ id }) => id)).toEqual([refused?.id]);
      debts.down = true;
      await deliver(...many());
      expect(written.slice(8).map(({ owedByClaim }) => owedByClaim)).toEqual(Array(8).fill(undefined));
    });

    it('leaves to the relay what may be settled and is not told, and not what another has taken', async () => {
      store.settle = () => Promise.reject(new Error('down'));
      await deliver(...many());
      expect(debts.left).toHaveLength(1);
      store.settle = (batch) => Promise.resolve(batch.map(() => false));
      await deliver(...many());
      expect(debts.left).toHaveLength(1);
      expect(problems).toEqual([...Array<string>(8).fill('settle_failed'), ...Array<string>(8).fill('lease_lost')]);
    });
  });

  it('sends all that one message wakes', async () => {
    const [first, ...others] = Array.from({ length: 5 }, () => store.add(notificationOf({ to: ['ada@example.org'] })));
    if (first === undefined) throw new Error('none');
    await deliverer.deliver('email', 'normal', { ...wakeOf(first), others: others.map(({ id }) => id) });
    expect([first, ...others].map((one) => stateOf(one).state)).toEqual(Array(5).fill('sent'));
    expect(store.claims).toBe(1);
  });

  it('claims no more than it may have in hand', async () => {
    const [first, ...others] = Array.from({ length: IN_HAND + 1 }, () =>
      store.add(notificationOf({ to: ['ada@example.org'] })),
    );
    if (first === undefined) throw new Error('none');
    let most = 0;
    sender.answer = () => {
      most = Math.max(most, [first, ...others].filter((one) => stateOf(one).state === 'sending').length);
      return SENT;
    };
    await deliverer.deliver('email', 'normal', { ...wakeOf(first), others: others.map(({ id }) => id) });
    expect(most).toBe(IN_HAND);
    expect([first, ...others].map((one) => stateOf(one).state)).toEqual(Array(IN_HAND + 1).fill('sent'));
  });

  it('tells of a claim that failed once the others are settled', async () => {
    const [first, second] = [store.add(notificationOf({ to: ['a@example.org'] })), notificationOf({})];
    const claim = store.claim.bind(store);
    store.claim = (request) => (request.ids.includes(second.id) ? Promise.reject(new Error('down')) : claim(request));
    const wake = { ...wakeOf(first), others: [second.id] };
    await expect(deliverer.deliver('email', 'normal', wake)).rejects.toThrow('down');
    store.claim = claim;
    await deliverer.deliver('email', 'normal', wake);
    expect(stateOf(first).state).toBe('sent');
  });

  it('does nothing for a duplicate, early or unknown wake', async () => {
    const one = store.add(notificationOf({ to: ['ada@example.org'] }));
    const later = store.add(notificationOf({ nextAttemptAt: new Date(NOW.getTime() + 1) }));
    await deliver(one, one);
    await deliver(one, later, notificationOf({}));
    expect(sender.requests).toHaveLength(1);
    expect(stateOf(later).state).toBe('approved');
  });

  it('sends to each target under an id of its own, and again only to those that are open', async () => {
    const one = store.add(notificationOf({ to: ['ada@example.org', 'bob@example.org'] }));
    sender.answer = ({ target }) => (target.startsWith('bob') ? failure('transient') : SENT);
    await deliver(one);
    expect(stateOf(one)).toMatchObject({ state: 'approved', attempt: 1, waiting: { reason: 'retry' } });
    expect(announcer.announcements[0]).toMatchObject({ wake: { rung: 2, ms: 2000 }, status: null, deadLetter: false });
    sender.answer = () => SENT;
    store.makeDue(one.id);
    await deliver(one);
    expect(sender.requests.map(({ deliveryId, attempt }) => [deliveryId.split('-')[1], attempt])).toEqual([
      ['1', 1],
      ['2', 1],
      ['2', 2],
    ]);
    expect(stateOf(one).state).toBe('sent');
  });

  it('gives up after the last attempt, and owes a dead letter', async () => {
    const one = store.add(notificationOf({ to: ['ada@example.org'] }));
    sender.answer = () => failure('transient');
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      store.makeDue(one.id);
      await deliver(one);
    }
    expect(stateOf(one)).toMatchObject({ state: 'failed', attempt: 4 });
    expect(announcer.announcements.map(({ wake }) => (typeof wake === 'string' ? wake : wake.rung))).toEqual([
      2,
      4,
      8,
      'none',
    ]);
    expect(announcer.announcements.at(-1)).toMatchObject({ deadLetter: true, status: { previous: 'pending' } });
  });

  it('uses no attempt for being asked to wait', async () => {
    const one = store.add(notificationOf({ to: ['ada@example.org'] }));
    sender.answer = () => ({ ...FAILURE, kind: 'rate_limited', retryAfterMs: 5_000 });
    await deliver(one);
    expect(stateOf(one)).toMatchObject({ state: 'approved', attempt: 0, waiting: { reason: 'rate_limit' } });
    expect(announcer.announcements[0]?.wake).toMatchObject({ rung: 8 });
  });

  it('reserves a place for what has none, in one go; what has its place later waits in the database', async () => {
    channelLimits.left.set('diabetes/email', 2);
    const to = ['ada@example.org'];
    const all = Array.from({ length: 4 }, () => store.add(notificationOf({ to })));
    const placed = store.add(notificationOf({ to, place: NOW }));
    await deliver(...all, placed);
    expect(channelLimits.batches).toEqual([4]);
    expect([...all, placed].map((one) => stateOf(one).state)).toEqual(['sent', 'sent', 'approved', 'approved', 'sent']);
    const until = new Date(NOW.getTime() + 2_000);
    expect(stateOf(all[3] ?? placed)).toMatchObject({
      attempt: 0,
      place: until,
      waiting: { reason: 'rate_limit', until },
      deliveries: [],
    });
    expect(announcer.announcements.filter(({ wake }) => wake === 'later')).toHaveLength(2);
    store.makeDue((all[3] ?? placed).id);
    await deliver(all[3] ?? placed);
    expect(stateOf(all[3] ?? placed).state).toBe('sent');
    expect(channelLimits.batches).toEqual([4]);
  });

  it('waits in the database for a place at its provider, and hands it over when it is due', async () => {
    const one = store.add(notificationOf({ to: ['ada@example.org'] }));
    const place = { of: 'email/smtp', at: new Date(NOW.getTime() + 500) };
    sender.answer = () => ({ ...FAILURE, kind: 'held', reason: 'rate_limit', retryAfterMs: 500, place });
    await deliver(one);
    expect(stateOf(one)).toMatchObject({ state: 'approved', attempt: 0, waiting: { reason: 'rate_limit' } });
    expect(announcer.announcements[0]?.wake).toBe('later');
    sender.answer = () => SENT;
    store.makeDue(one.id);
    await deliver(one);
    expect(sender.requests.map((request) => request.place)).toEqual([null, place]);
    expect(stateOf(one).deliveries[0]).not.toHaveProperty('place');
  });

  it('resolves the targets of the recipient once, and writes them before it sends', async () => {
    const one = store.add(notificationOf({ to: null, userId: 'p-1' }));
    recipients.targets.set('p-1', ['ada@example.org']);
    sender.answer = () => {
      expect(store.get(one.id).deliveries).toHaveLength(1);
      return failure('transient');
    };
    await deliver(one);
    recipients.targets.set('p-1', ['else@example.org']);
    store.makeDue(one.id);
    await deliver(one);
    expect(sender.requests.map(({ target }) => target)).toEqual(['ada@example.org', 'ada@example.org']);
  });

  it('fails what has nobody to go to', async () => {
    const one = store.add(notificationOf({ to: null, userId: 'p-1' }));
    await deliver(one);
    expect(stateOf(one)).toMatchObject({ state: 'failed', lastError: { code: 'no_target', class: 'recipient' } });
  });

  it('expires what comes too late, and sends nothing', async () => {
    const one = store.add(notificationOf({ to: ['ada@example.org'], expiresAt: NOW }));
    await deliver(one);
    expect(stateOf(one).state).toBe('expired');
    expect(sender.requests).toEqual([]);
  });

  it('forgets a target that does not exist any more', async () => {
    const one = store.add(notificationOf({ to: ['gone@example.org'] }));
    sender.answer = () => failure('recipient_gone');
    await deliver(one);
    expect(recipients.forgotten).toEqual(['gone@example.org']);
    expect(stateOf(one).state).toBe('failed');
  });

  it.each([
    [false, 'approved'],
    [true, 'uncertain'],
  ])('with atMostOnce %s a request without an answer leads to %s', async (atMostOnce, state) => {
    const one = store.add(notificationOf({ to: ['ada@example.org'], atMostOnce }));
    sender.answer = () => failure('uncertain');
    await deliver(one);
    expect(stateOf(one).state).toBe(state);
  });

  it('does not try what the lease leaves no time for, and uses no attempt for it', async () => {
    const one = store.add(notificationOf({ to: ['ada@example.org'] }));
    store.leaseTaken = () => (sender.timeoutMs = 1_000_000);
    await deliver(one);
    expect(sender.requests).toEqual([]);
    expect(stateOf(one)).toMatchObject({ state: 'approved', attempt: 0 });
  });

  it('settles nothing once the lease is lost', async () => {
    const one = store.add(notificationOf({ to: ['ada@example.org'] }));
    sender.answer = () => {
      store.stealLease(one.id);
      return SENT;
    };
    await deliver(one);
    expect(stateOf(one).state).toBe('sending');
    expect(announcer.announcements).toEqual([]);
    expect(problems).toEqual(['lease_lost']);
  });

  it('takes a sender that throws as not knowing, and tells claims that fail to the caller', async () => {
    const one = store.add(notificationOf({ to: ['ada@example.org'] }));
    sender.broken = true;
    await deliver(one);
    expect(stateOf(one)).toMatchObject({ state: 'approved', lastError: { code: 'sender_failed' } });
    store.down = true;
    await expect(deliver(one)).rejects.toThrow('down');
  });

  it('sends what was recovered by itself', async () => {
    const all = Array.from({ length: 3 }, () => store.add(notificationOf({ to: ['ada@example.org'] })));
    await Promise.all(all.map((one) => deliverer.deliver('email', 'normal', wakeOf(one, true))));
    expect(sender.batches.map((batch) => batch.length)).toEqual([1, 1, 1]);
    expect(store.claims).toBe(3);
  });
});
