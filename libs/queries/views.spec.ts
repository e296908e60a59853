import { describe, expect, it } from '@jest/globals';
import { CreateNotification, NotificationBody, NotificationItem } from '#contracts/http/notification';
import { draftNotification, moveTo } from '#acceptance/command';
import type { Notification } from '#domain/notification';
import { acceptedView, itemView, notificationView } from './views.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const later = new Date('2026-11-21T09:30:00.000Z');

const accepted = (changes: Record<string, unknown> = {}): Notification =>
  draftNotification(
    {
      input: CreateNotification.parse({
        serviceName: 'diabetes',
        channel: 'email',
        to: 'ada@example.org',
        title: 'Insulin',
        body: 'Time for your dose',
        data: { rx: '9931' },
        ...changes,
      }),
      raw: {},
      idempotencyKey: null,
      traceparent: null,
      defaultOnLimit: 'fail',
    },
    { id: 'a'.repeat(24), serviceName: 'diabetes', actor: 'key:1', owner: 'tests', bulk: null, country: undefined },
    now,
  );

/** As it may stand hours later. */
const delivered = (notification: Notification): Notification => ({
  ...notification,
  state: 'sent',
  version: 9,
  waiting: null,
  updatedAt: later,
  approvedAt: later,
  sentAt: later,
  deliveredAt: later,
  openedAt: later,
  readAt: later,
  lastError: { code: 'timeout', class: 'provider', message: 'no answer', at: later },
  deliveries: [
    {
      id: `${notification.id}-1`,
      target: 'ada@example.org',
      status: 'sent',
      provider: 'smtp',
      providerMessageId: 'm-1',
      attempts: [
        {
          number: 1,
          at: later,
          durationMs: 3,
          provider: 'smtp',
          outcome: 'sent',
          code: null,
          providerStatus: '250',
          retryAfterMs: null,
        },
      ],
    },
  ],
  history: [...notification.history, { from: 'approved', to: 'sending', at: later, actor: 'dispatcher', reason: null }],
});

describe('notificationView', () => {
  const view = notificationView(delivered(accepted()));

  it('has every field of the contract, and no other', () => {
    expect(NotificationBody.strict().parse(view)).toEqual(view);
    expect(NotificationItem.strict().parse(itemView(delivered(accepted())))).not.toHaveProperty('body');
  });

  it('masks targets', () => {
    expect(view.deliveries[0]?.target).toBe('a…@example.org');
    expect(JSON.stringify(view)).not.toContain('ada@');
  });

  it('counts deliveries by where they stand', () => {
    expect(view.deliveryCounts).toEqual({ total: 1, open: 0, sent: 1, failed: 0, uncertain: 0 });
    expect(view).toMatchObject({ status: 'sent', state: 'sent', final: true, version: 9 });
  });
});

describe('acceptedView', () => {
  it.each([
    ['at once', {}, null],
    ['a draft', { draft: true, sendAt: '2026-11-22T08:00:00Z' }, { reason: 'approval', until: null }],
    ['scheduled', { sendAt: '2026-11-22T09:00:00+01:00' }, { reason: 'scheduled', until: '2026-11-22T08:00:00.000Z' }],
    ['a moment ago', { sendAt: '2026-11-21T07:58:00Z' }, null],
  ])('is the same however far it has come: %s', (_what, changes, waiting) => {
    const notification = accepted(changes);
    const first = acceptedView(notification);
    expect(first.waiting).toEqual(waiting);
    expect(first).toMatchObject({ version: 1, status: 'pending', final: false, deliveries: [] });
    expect(first).toEqual(notificationView(notification));
    expect(acceptedView(delivered(notification))).toEqual(first);
  });

  it('tells that a limit made it wait', () => {
    const moved = moveTo(accepted({ sendAt: '2026-11-22T08:00:30Z' }), new Date('2026-11-22T08:02:00.000Z'));
    const first = acceptedView(moved);
    expect(first.waiting).toEqual({ reason: 'rate_limit', until: '2026-11-22T08:02:00.000Z' });
    expect(first).toEqual(notificationView(moved));
    expect(acceptedView(delivered(moved))).toEqual(first);
  });
});
