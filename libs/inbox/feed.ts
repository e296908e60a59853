import { changeEvent, eventIdOf } from './events.js';
import type { ChangesAsked, InboxChange, Reader } from './ports.js';
import type { Found } from './reads.js';

/** An event for everybody who listens to one reader. */
export interface FeedEvent {
  id: string;
  bytes: Buffer;
}

export interface Listener {
  tell(events: readonly FeedEvent[]): void;
  /** Too much changed to tell one by one. */
  restart(id: string): void;
}

/**
 * Milliseconds before what was read last from which each look begins again: a change gets its time when its write
 * begins, and shows when it ends, perhaps after others that began later. Longer than a write may take.
 */
export const OVERLAP_MS = 10_000;

export interface FeedParts {
  read: (asked: ChangesAsked) => Promise<Found>;
  now: () => Promise<Date>;
  onProblem: (error: unknown) => void;
}

/** Follows one reader's changes, once for all who listen to them here. */
export class Feed {
  private readonly listeners = new Set<Listener>();
  /** Versions that were told and would be found again; by item. */
  private readonly recent = new Map<string, { version: number; changedAt: Date }>();
  private since: Date | null = null;
  private last = 0;
  private looking: Promise<void> | null = null;
  private again = false;

  constructor(
    private readonly reader: Reader,
    private readonly parts: FeedParts,
  ) {}

  get size(): number {
    return this.listeners.size;
  }

  add(listener: Listener): void {
    this.listeners.add(listener);
  }

  delete(listener: Listener): void {
    this.listeners.delete(listener);
  }

  /** Up to when all is told; waits for the first look. @throws Unavailable */
  async position(): Promise<Date> {
    while (this.since === null) {
      if (this.looking === null) this.looking = this.begin();
      await this.looking;
    }
    return this.since;
  }

  /** Looks for changes, now or once more after the look that is under way. */
  wake(): void {
    if (this.looking !== null) this.again = true;
    else if (this.since !== null) void this.look();
  }

  /** Where it begins: what changed just before is not told, for who listens from now on has yet to load the list. */
  private async begin(): Promise<void> {
    try {
      const since = await this.parts.now();
      const { changes } = await this.parts.read({ reader: this.reader, from: before(since) });
      this.note(changes ?? []);
      this.since = since;
      this.last = since.getTime();
    } finally {
      this.looking = null;
    }
    if (this.again) void this.look();
  }

  private async look(): Promise<void> {
    const looking = (async () => {
      do {
        this.again = false;
        await this.lookOnce();
      } while (this.again && this.listeners.size > 0);
    })();
    this.looking = looking;
    try {
      await looking;
    } catch (error) {
      // Nothing is lost: the next look begins where this one did.
      this.parts.onProblem(error);
    } finally {
      this.looking = null;
    }
    if (this.again) void this.look();
  }

  private async lookOnce(): Promise<void> {
    if (this.since === null) return;
    const { at, changes } = await this.parts.read({ reader: this.reader, from: before(this.since) });
    this.since = at;
    if (changes === null) {
      this.recent.clear();
      this.last = Math.max(this.last, at.getTime());
      for (const listener of this.listeners) listener.restart(String(this.last));
      return;
    }
    const events = this.note(changes).map((change) => this.eventOf(change));
    if (events.length > 0) for (const listener of this.listeners) listener.tell(events);
    for (const [id, { changedAt }] of this.recent) if (changedAt < before(at)) this.recent.delete(id);
  }

  /** Those that are news. */
  private note(changes: readonly InboxChange[]): InboxChange[] {
    return changes.filter(({ id, version, changedAt }) => {
      const known = this.recent.get(id);
      if (known !== undefined && known.version >= version) return false;
      this.recent.set(id, { version, changedAt });
      return true;
    });
  }

  /** Ids never fall: what shows late has that of what came before it, and lies within the overlap. */
  private eventOf(change: InboxChange): FeedEvent {
    this.last = Math.max(this.last, change.changedAt.getTime());
    const id = String(this.last);
    return { id, bytes: changeEvent(id, change) };
  }
}

const before = (at: Date): Date => new Date(at.getTime() - OVERLAP_MS);

/** What a reader missed since an event, as events. */
export const replayOf = (changes: readonly InboxChange[]): FeedEvent[] =>
  changes.map((change) => {
    const id = eventIdOf(change.changedAt);
    return { id, bytes: changeEvent(id, change) };
  });
