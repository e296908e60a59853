import type { AnnouncedNotification } from '#domain/announcement';
import type { OutboxStore } from './ports.js';

/**
 * Nothing announced for so long, in milliseconds, means that the database has time for this. Most of a busy time are
 * claimed before, which clears them too and leaves nothing to write here.
 */
const QUIET_MS = 1_000;
/** What was confirmed so long ago, in milliseconds, is cleared also when it is busy: well before the relay looks. */
const AT_LATEST_MS = 6_000;
const LOOK_EVERY_MS = 250;
/** Documents in one write: few, so that no insert waits long behind it. */
const BATCH = 100;

interface Told {
  id: string;
  version: number;
  serviceName: string;
  /** The wake-up of a scheduled one is still owed: to the scheduler, when it is due. */
  butWake: boolean;
  at: number;
}

export interface ClearingParts {
  store: OutboxStore;
  /** So many stay owed: the relay tells them once more, which is harmless. */
  onFailed: (count: number) => void;
}

/** Takes off the documents what the broker has confirmed, when there is time for it. */
export class Clearing {
  private told: Told[] = [];
  private lastAnnouncedAt = 0;
  private working: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly parts: ClearingParts) {}

  /** Something was announced: it is busy. */
  noteAnnounced(): void {
    this.lastAnnouncedAt = performance.now();
  }

  add({ id, version, serviceName }: AnnouncedNotification, butWake: boolean): void {
    this.told.push({ id, version, serviceName, butWake, at: performance.now() });
    this.timer ??= setTimeout(() => this.look(), LOOK_EVERY_MS);
  }

  /** Resolves when all is cleared, or was tried. */
  async drained(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    while (this.told.length > 0 || this.working !== null) await (this.working ?? this.start(() => this.told.length));
  }

  private look(): void {
    void this.start(() => this.countDue()).then(() => {
      this.timer = this.told.length === 0 ? null : setTimeout(() => this.look(), LOOK_EVERY_MS);
    });
  }

  /** How many of the oldest are to be cleared now. */
  private countDue(): number {
    const now = performance.now();
    if (now - this.lastAnnouncedAt >= QUIET_MS) return this.told.length;
    const late = this.told.findIndex(({ at }) => now - at < AT_LATEST_MS);
    return late < 0 ? this.told.length : late;
  }

  private start(count: () => number): Promise<void> {
    this.working ??= this.clear(count).finally(() => (this.working = null));
    return this.working;
  }

  /** Batch by batch, as long as there is time for it. Never rejects. */
  private async clear(count: () => number): Promise<void> {
    for (let due = count(); due > 0; due = count()) {
      const batch = this.told.splice(0, Math.min(due, BATCH));
      const groups = Map.groupBy(batch, ({ serviceName, butWake }) => `${serviceName} ${butWake}`);
      for (const group of groups.values()) await this.write(group).catch(() => this.parts.onFailed(group.length));
    }
  }

  private write(batch: readonly Told[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return Promise.resolve();
    const { store } = this.parts;
    return first.butWake ? store.deferWake(first.serviceName, batch) : store.clearOutbox(first.serviceName, batch);
  }
}
