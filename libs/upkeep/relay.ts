import { announcementOf } from '#domain/change';
import type { Clock, DrainingAnnouncer, Job, UpkeepStore } from './ports.js';

export interface RelayParts {
  services: readonly string[];
  store: Pick<UpkeepStore, 'findOwed' | 'nextOwedInMs'>;
  announcer: DrainingAnnouncer;
  now: Clock;
}

const BATCH = 1000;
/** Of one service in one run, so that each gets its turn. */
const BATCHES = 20;
/**
 * A service that owes nothing for so long, in milliseconds, is not asked until then. Less than the grace that is given
 * to those who write: only what is to be sent within this time, and was accepted within it, is late by it.
 */
const LOOK_AHEAD_MS = 3_000;

/** Publishes what documents still owe to the broker: its process died, the broker was away, or its time has come. */
export class Relay implements Job {
  /** Until when a service owes nothing. */
  private readonly quietUntil = new Map<string, number>();

  constructor(private readonly parts: RelayParts) {}

  async run(): Promise<number> {
    let told = 0;
    for (const serviceName of this.parts.services)
      if (await this.owes(serviceName)) told += await this.relay(serviceName);
    return told;
  }

  private async owes(serviceName: string): Promise<boolean> {
    const { store, now } = this.parts;
    const asked = now().getTime();
    if (asked < (this.quietUntil.get(serviceName) ?? 0)) return false;
    const nextMs = await store.nextOwedInMs(serviceName, LOOK_AHEAD_MS);
    if (nextMs === null) this.quietUntil.set(serviceName, asked + LOOK_AHEAD_MS);
    return nextMs !== null && nextMs <= 0;
  }

  private async relay(serviceName: string): Promise<number> {
    const { store, announcer, now } = this.parts;
    const seen = new Set<string>();
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const owed = await store.findOwed(serviceName, BATCH);
      const fresh = owed.filter(({ notification }) => !seen.has(`${notification.id}:${notification.version}`));
      // What was told a moment ago and still is owed: the broker does not take it.
      if (fresh.length === 0) break;
      for (const { notification } of fresh) seen.add(`${notification.id}:${notification.version}`);
      const at = now();
      announcer.announce(fresh.map(({ notification, outbox }) => announcementOf(notification, outbox, at)));
      await announcer.drained();
      if (owed.length < BATCH || fresh.length < owed.length) break;
    }
    return seen.size;
  }
}
