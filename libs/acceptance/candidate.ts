import type { OnLimit } from '#contracts/vocabulary';
import type { NewNotification } from '#domain/accepted';
import type { GroupPlan } from '#domain/groups';
import type { Notification } from '#domain/notification';

/** One that passed every check that needs no store. */
export interface Candidate {
  notification: Notification;
  idempotency: NewNotification['idempotency'];
  /** What its sender said; null where nothing was said. */
  onLimit: OnLimit | null;
  /** Of the group that its `groupId` names, whose candidates stand in one admission. */
  plan?: GroupPlan;
}

export interface Accepted {
  notification: Notification;
  /** The idempotency key had made it before. */
  replayed: boolean;
}
