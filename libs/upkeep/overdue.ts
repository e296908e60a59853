import { deliverQueue } from '#contracts/topology';
import { CHANNELS, type Channel, type Lane, LANES } from '#contracts/vocabulary';
import type { Clock, Job, UpkeepStore, Watermarks } from './ports.js';

export interface OverdueParts {
  services: readonly string[];
  store: Pick<UpkeepStore, 'oldestWaiting' | 'oweWakeAgain'>;
  watermarks: Watermarks;
  now: Clock;
  /** How much later a claimed one must have been due than an unclaimed one, and how long a lane must be idle. */
  marginMs: number;
}

/** Overtaken ones woken again in one run, per service and lane: late messages of a relay look the same, and come by themselves. */
const OVERTAKEN_BATCH = 1000;
/** The same where a lane is idle: nothing is on its way there. */
const IDLE_BATCH = 10_000;
/** An idle lane in which nothing was claimed since it was woken has no dispatchers: it is woken again this much later. */
const IDLE_REPEAT_MS = 600_000;
/** How long what is due may wait in a lane in which nothing was ever claimed. */
const NEVER_CLAIMED_MS = 600_000;
/** Most lanes are never used at all: one where nothing was ever claimed, and nothing waits so long, is let be for a while. */
const UNUSED_MS = NEVER_CLAIMED_MS / 4;

/**
 * Finds lost wake-ups. Queues keep their order, so what is due but unclaimed while later ones are claimed was lost. So
 * was what is due in a lane where nothing is claimed at all, unless there is nobody to claim; a backlog, which moves
 * on in order, is left alone. The relay then publishes what owes its wake-up again.
 */
export class Overdue implements Job {
  /** When an idle lane was woken, by `<service>:<queue>`. */
  private readonly woken = new Map<string, Date>();
  /** When an unused lane was looked at, in milliseconds since 1970, by the same. */
  private readonly unused = new Map<string, number>();

  constructor(private readonly parts: OverdueParts) {}

  async run(): Promise<number> {
    const marks = await this.parts.watermarks.read();
    let woken = 0;
    for (const serviceName of this.parts.services)
      for (const channel of CHANNELS)
        for (const lane of LANES)
          woken += await this.look(serviceName, channel, lane, marks.get(deliverQueue(channel, lane)));
    return woken;
  }

  private async look(
    serviceName: string,
    channel: Channel,
    lane: Lane,
    mark: { claimedAt: Date; dueUpTo: Date } | undefined,
  ): Promise<number> {
    const { store, now, marginMs } = this.parts;
    const time = now().getTime();
    const key = `${serviceName}:${deliverQueue(channel, lane)}`;
    if (mark === undefined && time - (this.unused.get(key) ?? -Infinity) < UNUSED_MS) return 0;
    // Where nobody has ever claimed there may be nobody yet: their wake-ups wait in the queue.
    const earlier = new Date(time - (mark === undefined ? Math.max(marginMs, NEVER_CLAIMED_MS) : marginMs));
    const overtakenBefore = mark === undefined ? null : new Date(mark.dueUpTo.getTime() - marginMs);
    const moves = mark !== undefined && mark.claimedAt >= earlier;
    // Of a lane that moves only what was overtaken: its backlog may be long, and is not looked through.
    const before = moves && overtakenBefore !== null && overtakenBefore < earlier ? overtakenBefore : earlier;
    const oldest = await store.oldestWaiting(serviceName, channel, lane, before);
    if (oldest === null) {
      if (mark === undefined) this.unused.set(key, time);
      return 0;
    }
    if (overtakenBefore !== null && oldest < overtakenBefore)
      return store.oweWakeAgain(serviceName, channel, lane, overtakenBefore, OVERTAKEN_BATCH);

    if (moves) return 0;
    const woken = this.woken.get(key);
    const nothingClaimedSince = woken !== undefined && (mark === undefined || mark.claimedAt <= woken);
    if (nothingClaimedSince && time - woken.getTime() < IDLE_REPEAT_MS) return 0;
    const owed = await store.oweWakeAgain(serviceName, channel, lane, earlier, IDLE_BATCH);
    this.woken.set(key, new Date(time));
    return owed;
  }
}
