import type { Channel, GroupMode, GroupStatus } from '#contracts/vocabulary';
import { atOnce, markedWith, type PlannedChange, transitionTo } from './change.js';
import { awaitsAutomaticRetry } from './dead-letter.js';
import type { Notification } from './notification.js';
import { SCHEDULER } from './round.js';
import { closed } from './settle.js';
import { statusOfNotification } from './states.js';

/** What a call asked of several channels together. */
export interface GroupPlan {
  mode: GroupMode;
  fallbackAfterSeconds: number | null;
  /** Channels left out, because the recipient has no target there. */
  skipped: readonly Channel[];
}

/**
 * Channels of which somebody tells that it has arrived: receipts of SMS providers, reports of the app that shows a push,
 * readers of the inbox. On the others, what was sent counts as delivered.
 */
const HAS_RECEIPTS: Readonly<Record<Channel, boolean>> = {
  push: true,
  sms: true,
  'in-app': true,
  email: false,
  webhook: false,
  slack: false,
};

/** A group in which nothing has happened for so long, in milliseconds, is looked at all the same. */
const LOOK_AGAIN_MS = 3_600_000;

/** Reasons in histories. */
export const GROUP_REASONS = {
  /** One before it arrived. */
  notNeeded: 'not_needed',
  /** Somebody ended the group: cancelled, or rejected, the one whose turn it was. */
  groupEnded: 'group_ended',
  /** Its time was up, and the next one has its turn. */
  gaveWay: 'not_sent_in_time',
  /** The one before failed, was not delivered in time, or was taken out. */
  turn: { failed: 'fallback_failed', late: 'fallback_not_delivered', other: 'fallback_skipped' },
} as const;

/** Whether it waits until those before it in its group have not arrived. */
export const isHeldBack = ({ state, waiting }: Pick<Notification, 'state' | 'waiting'>): boolean =>
  state === 'approved' && waiting?.reason === 'fallback';

/** Whether its turn has not come when it is accepted, or approved. */
export const comesLater = ({ group }: Pick<Notification, 'group'>): boolean =>
  group !== null && group.mode === 'fallback' && group.position > 0;

/** Waits for its turn. */
export const HELD_BACK = { waiting: { reason: 'fallback', until: null }, nextAttemptAt: null } as const;

/** Notifications of one call, in the order of its channels, as members of one group. */
export const grouped = (notifications: readonly Notification[], plan: GroupPlan): Notification[] =>
  notifications.map((notification, position) => {
    const { mode, fallbackAfterSeconds } = plan;
    const member = { ...notification, group: { mode, position, fallbackAfterSeconds, skipped: [...plan.skipped] } };
    if (mode === 'all' || member.state === 'draft') return member;
    if (comesLater(member)) return { ...member, ...HELD_BACK, dueAt: null };
    return { ...member, groupDueAt: deadlineOf(member) };
  });

/** What stands of a group: its own status, by those of its members. */
export const groupStatusOf = (members: readonly Notification[]): GroupStatus => {
  const statuses = members.map(statusOfNotification);
  const isFallback = members[0]?.group?.mode === 'fallback';
  if (isFallback && statuses.includes('sent')) return 'sent';
  if (statuses.includes('pending')) return 'pending';
  if (statuses.includes('sent')) return statuses.every((status) => status === 'sent') ? 'sent' : 'partial';
  return statuses.includes('failed') ? 'failed' : 'cancelled';
};

/** What is to be done next in a group: one change or, where there is none, when to look again, and at whose time. */
export type GroupStep = { change: PlannedChange } | { change: null; lookAgain: { id: string; at: Date } | null };

/**
 * Each change is decided on what stands, so that whoever looks comes to the same, and a step that was interrupted is
 * taken up by the next look.
 * @param members of one group, by position
 */
export const groupStep = (members: readonly Notification[], now: Date): GroupStep => {
  if (members[0]?.group?.mode !== 'fallback') return DONE;
  for (const [index, member] of members.entries()) {
    const later = members.slice(index + 1);
    const standing = standingOf(member, now);
    switch (standing) {
      case 'held':
        return { change: begun(member, members[index - 1], now) };
      case 'draft':
        return DONE;
      case 'open':
        return later.some(isUntried) ? { change: null, lookAgain: { id: member.id, at: nextLook(member, now) } } : DONE;
      case 'late':
        if (!later.some(isHeldBack)) return DONE;
        return { change: ended(member, GROUP_REASONS.gaveWay, now) };
      case 'unreached':
        // One channel at a time: what the next one takes up is not retried by itself.
        if (awaitsAutomaticRetry(member) && later.some(isHeldBack))
          return { change: markedWith(member, { at: now, set: { retryForbidden: true }, deadLetter: true }) };
        break;
      case 'reached':
      case 'ended': {
        const surplus = later.find(standing === 'reached' ? isUnsent : isUntried);
        const reason = standing === 'reached' ? GROUP_REASONS.notNeeded : GROUP_REASONS.groupEnded;
        return surplus === undefined ? DONE : { change: ended(surplus, reason, now) };
      }
    }
  }
  return DONE;
};

const DONE: GroupStep = { change: null, lookAgain: null };

/**
 * `open`: may still arrive. `late`: was not even sent in time. `unreached`: the next one has its turn. `ended`: by
 * somebody, and the group with it.
 */
type Standing = 'held' | 'draft' | 'open' | 'late' | 'unreached' | 'reached' | 'ended';

const standingOf = (member: Notification, now: Date): Standing => {
  const isLate = deadlineOf(member) <= now && member.group?.fallbackAfterSeconds != null;
  switch (member.state) {
    case 'draft':
      return 'draft';
    case 'approved':
      if (isHeldBack(member)) return 'held';
      if (!isLate) return 'open';
      return member.sentAt === null ? 'late' : 'unreached';
    case 'sending':
    case 'uncertain':
      return 'open';
    case 'sent':
      if (!awaitsReceipt(member)) return 'reached';
      return isLate ? 'unreached' : 'open';
    case 'failed':
      return 'unreached';
    case 'expired':
      return member.approvedAt === null && !comesLater(member) ? 'ended' : 'unreached';
    case 'rejected':
      return comesLater(member) ? 'unreached' : 'ended';
    case 'cancelled':
      if (member.history.at(-1)?.reason === GROUP_REASONS.gaveWay) return 'unreached';
      return hadTurn(member) ? 'ended' : 'unreached';
  }
};

const awaitsReceipt = ({ channel, group, deliveredAt, openedAt, readAt }: Notification): boolean =>
  group?.fallbackAfterSeconds != null &&
  HAS_RECEIPTS[channel] &&
  deliveredAt === null &&
  openedAt === null &&
  readAt === null;

const hadTurn = (member: Notification): boolean =>
  !comesLater(member) || member.deliveries.length > 0 || turnOf(member) !== undefined;

const turnOf = ({ history }: Notification): Notification['history'][number] | undefined =>
  history.findLast(({ from, to }) => from === 'approved' && to === 'approved');

const isUntried = (member: Notification): boolean => member.state === 'draft' || isHeldBack(member);

const isUnsent = ({ state, sentAt }: Notification): boolean =>
  state === 'draft' || (state === 'approved' && sentAt === null);

/** Counted from when it was sent or, before that, from when its turn came. */
const deadlineOf = (member: Notification): Date => {
  const { sentAt, sendAt, dueAt, createdAt, group, history } = member;
  const turn = history.findLast(({ from, to }) => to === 'approved' && from !== 'sending');
  const began = Math.max(...[turn?.at ?? createdAt, sendAt, dueAt].map((time) => time?.getTime() ?? 0));
  const afterMs = group?.fallbackAfterSeconds == null ? LOOK_AGAIN_MS : group.fallbackAfterSeconds * 1000;
  return new Date((sentAt?.getTime() ?? began) + afterMs);
};

const nextLook = (member: Notification, now: Date): Date => {
  const deadline = deadlineOf(member);
  return deadline > now ? deadline : new Date(now.getTime() + LOOK_AGAIN_MS);
};

const begun = (member: Notification, before: Notification | undefined, at: Date): PlannedChange => {
  const { turn } = GROUP_REASONS;
  const isFailed = before?.state === 'failed' || before?.state === 'expired';
  const isLate = before?.state === 'sent' || before?.history.at(-1)?.reason === GROUP_REASONS.gaveWay;
  return transitionTo(member, 'approved', {
    at,
    actor: SCHEDULER,
    reason: isFailed ? turn.failed : isLate ? turn.late : turn.other,
    wake: true,
    visible: false,
    set: { waiting: null, nextAttemptAt: atOnce(at) },
  });
};

const ended = (member: Notification, reason: string, at: Date): PlannedChange =>
  transitionTo(member, 'cancelled', {
    at,
    actor: SCHEDULER,
    reason,
    set: { waiting: null, nextAttemptAt: null, deliveries: closed(member.deliveries, 'failed') },
  });
