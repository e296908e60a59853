import { Semaphore } from '#batching/semaphore';
import type { Caller } from '#domain/caller';
import { DomainError, InsufficientScope, NotFound } from '#domain/errors';
import type { Notification } from '#domain/notification';
import { approve, type ApprovalParts } from './approval.js';
import { changeOf, type Plan } from './attempts.js';
import { type Asked, cancel, read, reject, resolve, type ResolveOutcome, retry } from './decisions.js';
import { readInInbox } from './inbox-marks.js';
import type { Announcer, Clock, DeadLetterStore, InboxMarks, NotificationStore } from './ports.js';

export interface ActionsParts extends ApprovalParts {
  store: NotificationStore;
  deadLetters: Pick<DeadLetterStore, 'closeFor'>;
  inbox: InboxMarks;
  announcer: Announcer;
  now: Clock;
}

export interface Noted {
  note?: string | null | undefined;
}

export type ApprovalResult = { id: string } & ({ notification: Notification } | { error: DomainError });

/** Of one call that approves many. */
const APPROVALS_AT_ONCE = 10;

/**
 * What people and services do with one notification. Each answers it as it stands then; what is already in effect
 * answers the same again.
 * All throw NotFound (also for services that the caller may not use), InvalidTransition, and Conflict when others
 * changed it each time it was looked at.
 */
export class Actions {
  constructor(private readonly parts: ActionsParts) {}

  /** Refusals name their guard. @throws ApproverIsAuthor, ValidationFailed, NoTarget, RateLimited */
  approve(caller: Caller, id: string, { note }: Noted): Promise<Notification> {
    return this.act(caller, id, note, (notification, asked) => approve(this.parts, notification, asked));
  }

  /** Each by itself: one result each, in order. */
  async approveMany(caller: Caller, ids: readonly string[], noted: Noted): Promise<ApprovalResult[]> {
    const places = new Semaphore(APPROVALS_AT_ONCE);
    const one = async (id: string): Promise<ApprovalResult> => {
      try {
        return { id, notification: await this.approve(caller, id, noted) };
      } catch (error) {
        if (error instanceof DomainError) return { id, error };
        throw error;
      }
    };
    return Promise.all(ids.map((id) => places.run(() => one(id))));
  }

  reject(caller: Caller, id: string, { reason }: { reason: string }): Promise<Notification> {
    return this.act(caller, id, reason, reject);
  }

  /** Of a failed one, forbids the automatic retry. @throws InsufficientScope for what another client sent */
  async cancel(caller: Caller, id: string, { note }: Noted): Promise<Notification> {
    const notification = await this.act(caller, id, note, (found, asked) => {
      if (found.owner !== caller.owner && !caller.scopes.has('notifications:manage'))
        throw new InsufficientScope(['notifications:manage']);
      return cancel(found, asked);
    });
    if (notification.state === 'failed') await this.close(notification.id, notification.round, 'resolved');
    return notification;
  }

  async retry(caller: Caller, id: string, { note }: Noted): Promise<Notification> {
    const notification = await this.act(caller, id, note, retry);
    await this.close(notification.id, notification.round - 1, 'retried');
    return notification;
  }

  /** @throws ValidationFailed when it is to be retried and has expired */
  resolve(caller: Caller, id: string, { outcome, note }: { outcome: ResolveOutcome } & Noted): Promise<Notification> {
    return this.act(caller, id, note, (notification, asked) => resolve(notification, outcome, asked));
  }

  async read(caller: Caller, id: string, { note }: Noted): Promise<Notification> {
    const notification = await this.act(caller, id, note, read);
    await readInInbox(this.parts.inbox, notification);
    return notification;
  }

  private act(
    caller: Caller,
    id: string,
    note: string | null | undefined,
    decide: (notification: Notification, asked: Asked) => Plan | null | Promise<Plan | null>,
  ): Promise<Notification> {
    const find = async (): Promise<Notification> => {
      const found = await this.parts.store.find(id, caller.services);
      if (found === null) throw new NotFound('notification');
      return found;
    };
    return changeOf(this.parts, find, (found, at) =>
      decide(found, { actor: caller.actor, owner: caller.owner, at, note: note ?? null }),
    );
  }

  /** The action is done and stands; a dead letter that stays open is closed by its next notice. */
  private async close(id: string, round: number, to: 'resolved' | 'retried'): Promise<void> {
    await this.parts.deadLetters.closeFor(id, round, to).catch(() => undefined);
  }
}
