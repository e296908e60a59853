import { beforeEach, describe, expect, it } from '@jest/globals';
import type { StatusReport } from '#contracts/messages';
import { STATES } from '#contracts/vocabulary';
import { Conflict, InsufficientScope, NotFound, ServiceNotAllowed, ValidationFailed } from '#domain/errors';
import type { Delivery, Notification } from '#domain/notification';
import { callerOf } from '#testing/callers';
import { RecordingAnnouncer } from '#testing/memory-acceptance';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { Reports, type ReportResult } from './reports.js';

const NOW = new Date('2026-11-21T08:00:30.000Z');
const EARLIER = new Date('2026-11-21T08:00:00.000Z');

let store = new MemoryNotifications(NOW);
let announcer = new RecordingAnnouncer();
let paused: number[] = [];
let whilePaused: () => void = () => undefined;
let reports: Reports;
let readInInbox: [string, string][] = [];
beforeEach(() => {
  store = new MemoryNotifications(NOW);
  announcer = new RecordingAnnouncer();
  paused = [];
  whilePaused = () => undefined;
  readInInbox = [];
  reports = new Reports({
    store,
    inbox: { markRead: (...read) => Promise.resolve(void readInInbox.push(read)) },
    announcer,
    now: () => NOW,
    pause: (ms) => {
      paused.push(ms);
      whilePaused();
      return Promise.resolve();
    },
  });
});

const delivery = (n: number, status: Delivery['status'] = 'sent'): Delivery => ({
  id: `n-${n}`,
  target: `t-${n}`,
  status,
  provider: 'p',
  providerMessageId: null,
  attempts: [],
});
const add = (over: Partial<Notification> = {}): Notification =>
  store.add(
    notificationOf({ state: 'sent', sentAt: EARLIER, nextAttemptAt: null, deliveries: [delivery(1)], ...over }),
  );
const report = (
  { id }: Notification,
  status: StatusReport['status'],
  over: Partial<StatusReport> = {},
  who = callerOf({ actor: 'amqp:tracker', owner: 'tracker' }),
): Promise<ReportResult> =>
  reports.apply(who, {
    notificationId: id,
    serviceName: 'diabetes',
    status,
    occurredAt: EARLIER.toISOString(),
    ...over,
  });

describe('marks', () => {
  it.each([
    ['delivered', 'deliveredAt'],
    ['opened', 'openedAt'],
    ['read', 'readAt'],
  ] as const)('%s sets %s once, and tells it', async (status, mark) => {
    const one = add();
    expect(await report(one, status)).toBe('applied');
    expect(store.get(one.id)).toMatchObject({ state: 'sent', [mark]: EARLIER, version: 2 });
    expect(announcer.announcements).toHaveLength(1);
    expect(announcer.announcements[0]).toMatchObject({ wake: 'none', status: { previous: 'sent' }, deadLetter: false });
    expect(await report(one, status, { occurredAt: NOW.toISOString() })).toBe('ignored');
    expect(store.get(one.id)).toMatchObject({ [mark]: EARLIER, version: 2 });
  });

  it('may come in any order', async () => {
    const one = add();
    for (const status of ['read', 'opened', 'delivered'] as const) expect(await report(one, status)).toBe('applied');
    expect(store.get(one.id)).toMatchObject({ deliveredAt: EARLIER, openedAt: EARLIER, readAt: EARLIER });
  });

  it('are never in the future', async () => {
    const one = add();
    await report(one, 'delivered', { occurredAt: '2027-01-01T00:00:00.000+02:00' });
    expect(store.get(one.id).deliveredAt).toEqual(NOW);
  });

  it.each(STATES.filter((state) => !['sent', 'approved', 'sending'].includes(state)))(
    'are ignored on %s',
    async (state) => {
      const one = add({ state });
      expect(await report(one, 'delivered')).toBe('ignored');
      expect(await report(one, 'failed')).toBe('ignored');
      expect(store.get(one.id)).toBe(one);
    },
  );
});

describe('a report of failure', () => {
  it('undoes sent, once, as a dead letter', async () => {
    const one = add();
    expect(await report(one, 'failed', { code: 'mailbox_full' })).toBe('applied');
    expect(store.get(one.id)).toMatchObject({
      state: 'failed',
      failedAt: NOW,
      deliveries: [{ status: 'failed' }],
      lastError: { code: 'mailbox_full', class: 'recipient' },
    });
    expect(store.get(one.id).history.at(-1)).toMatchObject({
      from: 'sent',
      to: 'failed',
      actor: 'report:tracker',
      reason: 'mailbox_full',
    });
    expect(announcer.announcements[0]).toMatchObject({ deadLetter: true, status: { previous: 'sent' } });
    expect(await report(one, 'failed')).toBe('ignored');
  });

  it.each(['deliveredAt', 'openedAt', 'readAt'])('is ignored once %s is set', async (mark) => {
    const one = add({ [mark]: EARLIER });
    expect(await report(one, 'failed')).toBe('ignored');
    expect(store.get(one.id).state).toBe('sent');
  });

  it('of one delivery leaves the notification sent while another one is', async () => {
    const one = add({ deliveries: [delivery(1), delivery(2)] });
    expect(await report(one, 'failed', { deliveryId: 'n-1' })).toBe('applied');
    expect(store.get(one.id)).toMatchObject({ state: 'sent', deliveries: [{ status: 'failed' }, { status: 'sent' }] });
    expect(await report(one, 'failed', { deliveryId: 'n-1' })).toBe('ignored');
    expect(await report(one, 'failed', { deliveryId: 'n-2' })).toBe('applied');
    expect(store.get(one.id)).toMatchObject({ state: 'failed', lastError: { code: 'reported_failed' } });
  });

  it('of a delivery that it does not have is refused', async () => {
    await expect(report(add(), 'failed', { deliveryId: 'x-1' })).rejects.toBeInstanceOf(ValidationFailed);
  });
});

describe('what was read elsewhere', () => {
  it('is read in the inbox too, also when the report comes again', async () => {
    const one = add({ channel: 'in-app' });
    const other = add({ channel: 'push' });
    expect(await report(one, 'opened')).toBe('applied');
    expect(await report(other, 'read')).toBe('applied');
    expect(readInInbox).toEqual([]);
    expect(await report(one, 'read')).toBe('applied');
    expect(await report(one, 'read')).toBe('ignored');
    expect(readInInbox).toEqual([
      [one.serviceName, one.id],
      [one.serviceName, one.id],
    ]);
  });
});

describe('strangers', () => {
  it('need the scope, the service, and a notification in it', async () => {
    const one = add();
    const other = add({ serviceName: 'wellness' });
    await expect(report(one, 'read', {}, callerOf({ scopes: new Set(['notifications:send']) }))).rejects.toBeInstanceOf(
      InsufficientScope,
    );
    await expect(report(other, 'read', { serviceName: 'wellness' })).rejects.toBeInstanceOf(ServiceNotAllowed);
    await expect(report(other, 'read')).rejects.toBeInstanceOf(NotFound);
    await expect(report({ ...one, id: 'f'.repeat(24) }, 'read')).rejects.toBeInstanceOf(NotFound);
  });
});

describe('races', () => {
  it('a lost one is decided again on fresh data', async () => {
    const one = add();
    store.beforeChange = () => {
      store.beforeChange = () => undefined;
      store.add({ ...one, openedAt: EARLIER, version: 2 });
    };
    expect(await report(one, 'delivered')).toBe('applied');
    expect(store.get(one.id)).toMatchObject({ deliveredAt: EARLIER, openedAt: EARLIER, version: 3 });
  });

  it('a failure that somebody saw delivered meanwhile is ignored', async () => {
    const one = add();
    store.beforeChange = () => store.add({ ...one, deliveredAt: EARLIER, version: 2 });
    expect(await report(one, 'failed')).toBe('ignored');
  });

  it('what others change each time comes again', async () => {
    const one = add();
    store.beforeChange = () => store.add({ ...store.get(one.id), version: store.get(one.id).version + 1 });
    await expect(report(one, 'delivered')).rejects.toBeInstanceOf(Conflict);
  });

  it('a receiver that is quicker than our own settling is waited for', async () => {
    const one = add({ state: 'sending' });
    whilePaused = () => paused.length === 2 && store.add({ ...one, state: 'sent', version: 2 });
    expect(await report(one, 'delivered')).toBe('applied');
    expect(paused).toEqual([50, 100]);
  });

  it('but not for ever', async () => {
    await expect(report(add({ state: 'approved' }), 'delivered')).rejects.toBeInstanceOf(Conflict);
    expect(paused).toEqual([50, 100, 200, 400, 800]);
  });

  it('one that is taken up again between two looks comes again', async () => {
    const one = add();
    store.beforeChange = () => store.add({ ...one, state: 'approved', version: 2 });
    await expect(report(one, 'delivered')).rejects.toBeInstanceOf(Conflict);
  });
});
