import type { State, Status } from '#contracts/vocabulary';
import { awaitsAutomaticRetry } from './dead-letter.js';
import type { Notification } from './notification.js';

/** The state machine: what may follow what. docs/state-machine.md draws it. */
export const TRANSITIONS: Readonly<Record<State, readonly State[]>> = {
  draft: ['approved', 'rejected', 'cancelled', 'expired'],
  // Back to approved: held back in its group until its turn comes.
  approved: ['sending', 'approved', 'cancelled', 'expired'],
  // Back to approved: to wait, with reason and due time.
  sending: ['sent', 'failed', 'uncertain', 'approved', 'expired'],
  sent: ['failed'],
  failed: ['approved'],
  uncertain: ['approved', 'sent', 'failed', 'expired'],
  rejected: [],
  cancelled: [],
  expired: [],
};

export const canBecome = (from: State, to: State): boolean => TRANSITIONS[from].includes(to);

/** What most callers see. A draft that expired was never promised to anyone: it counts as cancelled. */
export const statusOf = (state: State, wasApproved: boolean): Status => {
  switch (state) {
    case 'draft':
    case 'approved':
    case 'sending':
    case 'uncertain':
      return 'pending';
    case 'sent':
      return 'sent';
    case 'failed':
      return 'failed';
    case 'expired':
      return wasApproved ? 'failed' : 'cancelled';
    case 'rejected':
    case 'cancelled':
      return 'cancelled';
  }
};

export const statusOfNotification = (notification: Pick<Notification, 'state' | 'approvedAt'>): Status =>
  statusOf(notification.state, notification.approvedAt !== null);

/** Carillon will do nothing more by itself. A failed one is final once its automatic retry is spent, forbidden or pointless. */
export const isFinal = (
  notification: Pick<Notification, 'state' | 'round' | 'retryForbidden' | 'lastError'>,
): boolean =>
  !['draft', 'approved', 'sending', 'uncertain'].includes(notification.state) && !awaitsAutomaticRetry(notification);

export type Action = 'approve' | 'reject' | 'cancel' | 'retry' | 'resolve' | 'read';

/** The actions that are possible in a state, in the order of the API's pages. */
export const allowedActions = (notification: Pick<Notification, 'state' | 'round'>, maxRounds: number): Action[] => {
  switch (notification.state) {
    case 'draft':
      return ['approve', 'reject', 'cancel'];
    case 'approved':
      return ['cancel'];
    case 'sent':
      return ['read'];
    case 'failed':
      return notification.round < maxRounds ? ['cancel', 'retry'] : ['cancel'];
    case 'uncertain':
      return ['resolve'];
    case 'sending':
    case 'rejected':
    case 'cancelled':
    case 'expired':
      return [];
  }
};

/** Whether an action was carried out already, so that repeating it answers 200 and changes nothing. */
export const isInEffect = (
  notification: Pick<Notification, 'state' | 'round' | 'approvedAt' | 'readAt' | 'retryForbidden' | 'history'>,
  action: Action,
  outcome?: 'sent' | 'failed' | 'retry',
): boolean => {
  const { state } = notification;
  switch (action) {
    case 'approve':
      return notification.history[0]?.to === 'draft' && notification.approvedAt !== null && state !== 'cancelled';
    case 'reject':
      return state === 'rejected';
    case 'cancel':
      return state === 'cancelled' || (state === 'failed' && notification.retryForbidden);
    case 'retry':
      return notification.round > 1 && (state === 'approved' || state === 'sending');
    case 'resolve': {
      if (state === 'uncertain') return false;
      const resolved = notification.history.findLast((transition) => transition.from === 'uncertain');
      return resolved !== undefined && resolved.to === (outcome === 'retry' ? 'approved' : outcome);
    }
    case 'read':
      return notification.readAt !== null;
  }
};
