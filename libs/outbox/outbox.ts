import { EXCHANGES, ROUTING_KEYS } from '#contracts/topology';
import { SCHEMA_VERSION } from '#contracts/messages';
import type { Announcement, AnnouncedNotification, Announcer, Told } from '#domain/announcement';
import { isFinal, statusOfNotification } from '#domain/states';
import { Clearing } from './clearing.js';
import type { MessagePublisher, OutboxStore, Outgoing, OutgoingMessage } from './ports.js';
import { wakeMessages } from './wakes.js';

export interface OutboxParts {
  publisher: MessagePublisher;
  store: OutboxStore;
  onProblem: (problem: 'returned' | 'nacked' | 'unavailable' | 'dropped' | 'clear_failed', count: number) => void;
}

/** Announcements in one publish. */
const BATCH = 500;
/** What may wait in memory; beyond it the relay, which reads the database, takes over. */
const MAX_WAITING = 20_000;
/** Publishes under way at once. */
const MAX_IN_FLIGHT = 3;

/** What was announced together, for somebody who wants to hear what became of it. */
interface Together {
  open: number;
  allConfirmed: boolean;
  told: Told;
}

interface Waiting {
  announcement: Announcement;
  together: Together | null;
}

/**
 * Publishes what was written, in batches and behind the caller's back, then clears the outbox on the documents. What
 * the broker does not confirm stays owed, and the relay publishes it again.
 */
export class OutboxPublisher implements Announcer {
  private waiting: Waiting[] = [];
  private inFlight = 0;
  private readonly clearing: Clearing;
  private readonly quiet: (() => void)[] = [];

  constructor(private readonly parts: OutboxParts) {
    this.clearing = new Clearing({
      store: parts.store,
      onFailed: (count) => parts.onProblem('clear_failed', count),
    });
  }

  announce(announcements: readonly Announcement[], told?: Told): void {
    const { length } = announcements;
    const together = told === undefined ? null : { open: length, allConfirmed: true, told };
    const room = Math.max(0, MAX_WAITING - this.waiting.length);
    for (const announcement of announcements.slice(0, room)) this.waiting.push({ announcement, together });
    if (length > room) {
      this.parts.onProblem('dropped', length - room);
      if (together !== null) void settle(together, length - room, false);
    }
    this.clearing.noteAnnounced();
    this.start();
  }

  /** Resolves when all that was announced is published or given to the relay, and cleared. */
  async drained(): Promise<void> {
    while (this.waiting.length > 0 || this.inFlight > 0) await new Promise<void>((resolve) => this.quiet.push(resolve));
    await this.clearing.drained();
  }

  private start(): void {
    while (this.inFlight < MAX_IN_FLIGHT && this.waiting.length > 0) {
      const batch = this.waiting.splice(0, BATCH);
      this.inFlight += 1;
      void this.publish(batch).finally(() => {
        this.inFlight -= 1;
        this.start();
        if (this.inFlight === 0) for (const resolve of this.quiet.splice(0)) resolve();
      });
    }
  }

  private async publish(waiting: readonly Waiting[]): Promise<void> {
    const batch = waiting.map(({ announcement }) => announcement);
    // Wake-ups first: somebody waits for them.
    const wakes = wakeMessages(batch);
    const messages: OutgoingMessage[] = wakes.map(({ message }) => message);
    const owners = wakes.map((wake) => wake.owners);
    for (const make of [noticeMessage, statusMessage])
      batch.forEach((announcement, index) => {
        const message = make(announcement);
        if (message === null) return;
        messages.push(message);
        owners.push([index]);
      });
    const results = await this.parts.publisher.publish(messages);
    const failed = new Set<number>();
    const problems = { returned: 0, nacked: 0, unavailable: 0 };
    results.forEach((result, at) => {
      if (result === 'confirmed') return;
      for (const owner of owners[at] ?? []) {
        failed.add(owner);
        problems[result] += 1;
      }
    });
    for (const [problem, count] of Object.entries(problems) as [keyof typeof problems, number][])
      if (count > 0) this.parts.onProblem(problem, count);
    for (const [index, { announcement, together }] of waiting.entries()) {
      const isConfirmed = !failed.has(index);
      if (together !== null) await settle(together, 1, isConfirmed);
      else if (isConfirmed) this.clearing.add(announcement.notification, announcement.wake === 'later');
    }
  }
}

const settle = (together: Together, count: number, areConfirmed: boolean): void | Promise<void> => {
  together.open -= count;
  together.allConfirmed &&= areConfirmed;
  return together.open === 0 ? together.told(together.allConfirmed) : undefined;
};

const noticeMessage = ({ notification, deadLetter }: Announcement): Outgoing<'notification.failed'> | null =>
  deadLetter
    ? {
        exchange: EXCHANGES.dead,
        routingKey: ROUTING_KEYS.failed,
        type: 'notification.failed',
        payload: {
          schemaVersion: SCHEMA_VERSION,
          notificationId: notification.id,
          serviceName: notification.serviceName,
          round: notification.round,
        },
        messageId: `${notification.id}:${notification.version}:failed`,
        ...trace(notification),
        mandatory: true,
      }
    : null;

const statusMessage = ({ notification, status }: Announcement): Outgoing<'notification.status'> | null => {
  if (status === null) return null;
  const eventId = `${notification.id}:${notification.version}`;
  return {
    exchange: EXCHANGES.services,
    routingKey: ROUTING_KEYS.status,
    type: 'notification.status',
    payload: {
      schemaVersion: SCHEMA_VERSION,
      eventId,
      occurredAt: notification.updatedAt.toISOString(),
      notificationId: notification.id,
      serviceName: notification.serviceName,
      tenantId: notification.tenantId,
      reference: notification.reference,
      groupId: notification.groupId,
      bulkId: notification.bulkId,
      channel: notification.channel,
      version: notification.version,
      previousStatus: status.previous,
      status: statusOfNotification(notification),
      state: notification.state,
      final: isFinal(notification),
      sentAt: text(notification.sentAt),
      deliveredAt: text(notification.deliveredAt),
      openedAt: text(notification.openedAt),
      readAt: text(notification.readAt),
      errorCode: notification.state === 'sent' ? null : (notification.lastError?.code ?? null),
    },
    messageId: eventId,
    correlationId: notification.id,
    ...trace(notification),
    mandatory: false,
  };
};

const text = (time: Date | null): string | null => time?.toISOString() ?? null;
const trace = ({ traceparent }: AnnouncedNotification): { traceparent?: string } =>
  traceparent === null ? {} : { traceparent };
