import type { DeadLetterStatus } from '#contracts/vocabulary';
import type { Caller } from '#domain/caller';
import { markedWith } from '#domain/change';
import type { DeadLetter } from '#domain/dead-letter';
import { DomainError, InvalidTransition, NotFound, ServiceNotAllowed, Unavailable } from '#domain/errors';
import type { Notification } from '#domain/notification';
import type { Noted } from './actions.js';
import { changeOf } from './attempts.js';
import type { Announcer, Clock, DeadLetterFilter, DeadLetterStore, NotificationStore, Replayer } from './ports.js';

export interface DeadLettersParts {
  deadLetters: DeadLetterStore;
  store: NotificationStore;
  announcer: Announcer;
  /** The retry of a notification, as `Actions` has it. */
  retry: (caller: Caller, id: string, note: Noted) => Promise<Notification>;
  replayer: Replayer;
  now: Clock;
}

/** `notification` is null where a message was refused, or where its time was over. */
export interface ShownDeadLetter {
  deadLetter: DeadLetter;
  notification: Notification | null;
}

export type DeadLetterQuery = Omit<DeadLetterFilter, 'services'>;

/** What still waits for somebody. */
const OPEN: readonly DeadLetterStatus[] = ['waiting', 'archived'];
/** Dead letters read at once, and how many are replayed side by side. */
const PAGE = 200;
const SIDE_BY_SIDE = 10;
/** What one call replays at the most; who has more repeats it. */
const MAX_REPLAYED = 10_000;

/** Dead letters, as people see them and deal with them. */
export class DeadLetters {
  constructor(private readonly parts: DeadLettersParts) {}

  /** Newest first. @throws ServiceNotAllowed */
  async list(
    caller: Caller,
    query: DeadLetterQuery,
    { limit, before }: { limit: number; before: { createdAt: Date; id: string } | null },
  ): Promise<DeadLetter[]> {
    return this.parts.deadLetters.page(filterOf(caller, query), limit, before);
  }

  /** @throws NotFound */
  async show(caller: Caller, id: string): Promise<ShownDeadLetter> {
    const deadLetter = await this.find(caller, id);
    return { deadLetter, notification: await this.notificationOf(deadLetter) };
  }

  /**
   * Sends it again: its notification in a new round, or its message through the door. One that was retried already
   * answers the same again.
   * @throws NotFound, InvalidTransition, Conflict, and for a message whatever the door says of it
   */
  async replay(caller: Caller, id: string, note: Noted): Promise<ShownDeadLetter> {
    const deadLetter = await this.find(caller, id);
    if (deadLetter.status !== 'retried') await this.replayOne(caller, deadLetter, note);
    return this.show(caller, id);
  }

  /**
   * Replays what the filter matches and still waits for somebody, up to 10,000. What comes in meanwhile is not taken.
   * @throws ServiceNotAllowed, Unavailable
   */
  async replayMatching(caller: Caller, query: DeadLetterQuery): Promise<{ matched: number; replayed: number }> {
    const filter = { ...filterOf(caller, query), createdTo: query.createdTo ?? this.parts.now() };
    let matched = 0;
    let replayed = 0;
    let before: { createdAt: Date; id: string } | null = null;
    while (matched < MAX_REPLAYED) {
      const page: DeadLetter[] = await this.parts.deadLetters.page(filter, PAGE, before);
      const open = page.filter(({ status }) => OPEN.includes(status));
      matched += open.length;
      for (let from = 0; from < open.length; from += SIDE_BY_SIDE) {
        const batch = open.slice(from, from + SIDE_BY_SIDE);
        const done = await Promise.all(batch.map((deadLetter) => this.wasReplayed(caller, deadLetter)));
        replayed += done.filter(Boolean).length;
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      before = { createdAt: last.createdAt, id: last.id };
    }
    return { matched, replayed };
  }

  /** It is never retried by itself. One that was dropped stays so. @throws NotFound, InvalidTransition, Conflict */
  async drop(caller: Caller, id: string): Promise<void> {
    const deadLetter = await this.find(caller, id);
    if (deadLetter.status === 'dropped') return;
    if (!OPEN.includes(deadLetter.status)) throw refusal(deadLetter, null);
    await this.forbidRetry(deadLetter);
    await this.parts.deadLetters.move(id, OPEN, 'dropped', caller.actor);
  }

  private async find(caller: Caller, id: string): Promise<DeadLetter> {
    const found = await this.parts.deadLetters.find(id);
    if (found === null || (found.serviceName !== null && !caller.services.has(found.serviceName)))
      throw new NotFound('dead letter');
    return found;
  }

  private notificationOf({ notificationId, serviceName }: DeadLetter): Promise<Notification | null> {
    return notificationId === null || serviceName === null
      ? Promise.resolve(null)
      : this.parts.store.find(notificationId, [serviceName]);
  }

  private async replayOne(caller: Caller, deadLetter: DeadLetter, note: Noted): Promise<void> {
    if (!OPEN.includes(deadLetter.status)) throw refusal(deadLetter, null);
    const { id, notificationId, round, message } = deadLetter;
    if (notificationId !== null) {
      const notification = await this.notificationOf(deadLetter);
      if (notification?.state !== 'failed' || notification.round !== round) throw refusal(deadLetter, notification);
      // Closes the dead letter, too.
      await this.parts.retry(caller, notificationId, note);
    } else if (message !== null) await this.parts.replayer.replay(message);
    await this.parts.deadLetters.move(id, OPEN, 'retried', caller.actor);
  }

  /** Of many, what one refuses is its own affair. @throws Unavailable, and what is no refusal */
  private async wasReplayed(caller: Caller, deadLetter: DeadLetter): Promise<boolean> {
    try {
      await this.replayOne(caller, deadLetter, {});
      return true;
    } catch (error) {
      if (!(error instanceof DomainError) || error instanceof Unavailable) throw error;
      return false;
    }
  }

  private async forbidRetry(deadLetter: DeadLetter): Promise<void> {
    const found = await this.notificationOf(deadLetter);
    if (found === null) return;
    const find = async (): Promise<Notification> => (await this.notificationOf(deadLetter)) ?? found;
    await changeOf(this.parts, find, (notification, at) =>
      notification.state !== 'failed' || notification.round !== deadLetter.round || notification.retryForbidden
        ? null
        : { change: markedWith(notification, { at, set: { retryForbidden: true } }) },
    );
  }
}

const filterOf = (caller: Caller, query: DeadLetterQuery): DeadLetterFilter => {
  if (query.serviceName !== undefined && !caller.services.has(query.serviceName)) throw new ServiceNotAllowed();
  return { ...query, services: caller.services };
};

const refusal = (deadLetter: DeadLetter, notification: Notification | null): InvalidTransition => {
  if (notification !== null)
    return new InvalidTransition(notification.state, [], 'its notification was taken up again since');
  return OPEN.includes(deadLetter.status)
    ? new InvalidTransition(null, [], 'its notification does not exist any more')
    : new InvalidTransition(null, [], `a dead letter that is ${deadLetter.status} is closed`);
};
