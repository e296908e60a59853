import type { StatusReport } from '#contracts/messages';
import type { Caller } from '#domain/caller';
import { markedWith, transitionTo } from '#domain/change';
import { Conflict, InsufficientScope, NotFound, ServiceNotAllowed, ValidationFailed } from '#domain/errors';
import type { Delivery, Notification } from '#domain/notification';
import { rollUp } from '#domain/settle';
import { changeOf, type Plan } from './attempts.js';
import { readInInbox } from './inbox-marks.js';
import type { Announcer, Clock, InboxMarks, NotificationStore } from './ports.js';

export interface ReportsParts {
  store: NotificationStore;
  inbox: InboxMarks;
  announcer: Announcer;
  now: Clock;
  /** Resolves after so many milliseconds. */
  pause: (ms: number) => Promise<void>;
}

/** What became of a report. `ignored`: known already, or it would lead backwards. */
export type ReportResult = 'applied' | 'ignored';

/** Waits for our own settling, which a quick receiver overtakes, in milliseconds. */
const PAUSES_MS = [50, 100, 200, 400, 800] as const;

const MARKS = { delivered: 'deliveredAt', opened: 'openedAt', read: 'readAt' } as const;

/** Applies what other services saw become of a notification that was sent. */
export class Reports {
  constructor(private readonly parts: ReportsParts) {}

  /**
   * @throws InsufficientScope, ServiceNotAllowed, NotFound, ValidationFailed (unknown delivery): refused for good
   * @throws Conflict while it is being sent, or others change it each time: the report may come again
   */
  async apply(who: Caller, report: StatusReport): Promise<ReportResult> {
    if (!who.scopes.has('notifications:mark')) throw new InsufficientScope(['notifications:mark']);
    if (!who.services.has(report.serviceName)) throw new ServiceNotAllowed();
    const { store, pause } = this.parts;
    const find = async (): Promise<Notification> => {
      const found = await store.find(report.notificationId, [report.serviceName]);
      if (found === null) throw new NotFound('notification');
      return found;
    };
    for (const ms of [...PAUSES_MS, null]) {
      if (!isUnsettled(await find())) break;
      if (ms === null) throw new Conflict();
      await pause(ms);
    }
    let applied = false;
    const after = await changeOf(this.parts, find, (notification, at) => {
      if (isUnsettled(notification)) throw new Conflict();
      const plan = planOf(notification, report, `report:${who.owner}`, at);
      applied = plan !== null;
      return plan;
    });
    if (report.status === 'read') await readInInbox(this.parts.inbox, after);
    return applied ? 'applied' : 'ignored';
  }
}

/** It is on its way, so that a report may be true, and is not to be lost. */
const isUnsettled = ({ state }: Notification): boolean => state === 'sending' || state === 'approved';

const planOf = (notification: Notification, report: StatusReport, actor: string, at: Date): Plan | null => {
  if (notification.state !== 'sent') return null;
  return report.status === 'failed'
    ? planFailure(notification, report, actor, at)
    : planMark(notification, report.status, report.occurredAt, at);
};

const planMark = (
  notification: Notification,
  status: keyof typeof MARKS,
  occurredAt: string,
  at: Date,
): Plan | null => {
  const mark = MARKS[status];
  if (notification[mark] !== null) return null;
  // A reporter's clock may be ahead of ours.
  const seen = new Date(Math.min(Date.parse(occurredAt), at.getTime()));
  return { change: markedWith(notification, { at, set: { [mark]: seen } }) };
};

/** Undelivered, bounced: never once somebody has it. */
const planFailure = (notification: Notification, report: StatusReport, actor: string, at: Date): Plan | null => {
  if (Object.values(MARKS).some((mark) => notification[mark] !== null)) return null;
  const failed = withFailed(notification.deliveries, report.deliveryId);
  if (failed === null) return null;
  const code = report.code ?? 'reported_failed';
  const lastError = { code, class: 'recipient' as const, message: 'reported as not delivered', at };
  if (rollUp(failed) === 'sent')
    return { change: markedWith(notification, { at, set: { deliveries: failed, lastError } }) };
  return {
    change: transitionTo(notification, 'failed', {
      at,
      actor,
      reason: code,
      deadLetter: true,
      set: { deliveries: failed, lastError, failedAt: at },
    }),
  };
};

/** Null when nothing of it counted as sent. @throws ValidationFailed for a delivery that the notification does not have */
const withFailed = (deliveries: readonly Delivery[], deliveryId: string | undefined): Delivery[] | null => {
  if (deliveryId !== undefined && !deliveries.some(({ id }) => id === deliveryId))
    throw new ValidationFailed([
      { in: 'body', field: '/deliveryId', code: 'unknown_delivery', message: 'must be a delivery of the notification' },
    ]);
  const isMeant = ({ id, status }: Delivery): boolean => status === 'sent' && (deliveryId ?? id) === id;
  if (!deliveries.some(isMeant)) return null;
  return deliveries.map((delivery) => (isMeant(delivery) ? { ...delivery, status: 'failed' } : delivery));
};
