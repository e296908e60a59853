import type { AnnouncedNotification } from '#domain/announcement';
import type { OutboxStore } from './ports.js';

/**
 * Nothing announced for so long, in milliseconds, means that the database has time for this. Most of a busy time are
 * claimed before, which clears them too and leaves nothing to write here.
 */
const QUIET_MS = 200;
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
    while (this.told.length > 0 || this.working !== null) await (this.working ?? this.start(this.told.length));
  }

  private look(): void {
    const now = performance.now();
    const quiet = now - this.lastAnnouncedAt >= QUIET_MS;
    const late = this.told.findIndex(({ at }) => now - at < AT_LATEST_MS);
    const count = quiet || late < 0 ? this.told.length : late;
    void this.start(count).then(() => {
      this.timer = this.told.length === 0 ? null : setTimeout(() => this.look(), LOOK_EVERY_MS);
    });
  }

  private start(count: number): Promise<void> {
    this.working ??= this.clear(this.told.splice(0, count)).finally(() => (this.working = null));
    return this.working;
  }

  /** Never rejects. */
  private async clear(all: readonly Told[]): Promise<void> {
    const groups = Map.groupBy(all, ({ serviceName, butWake }) => `${serviceName} ${butWake}`);
    for (const group of groups.values())
      for (let from = 0; from < group.length; from += BATCH) {
        const batch = group.slice(from, from + BATCH);
        await this.write(batch).catch(() => this.parts.onFailed(batch.length));
      }
  }

  private write(batch: readonly Told[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return Promise.resolve();
    const { store } = this.parts;
    return first.butWake ? store.deferWake(first.serviceName, batch) : store.clearOutbox(first.serviceName, batch);
  }
}
