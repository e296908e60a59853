import { Unavailable } from '#domain/errors';
import { endEvent, type EndReason, eventIdOf, HEARTBEAT, readyEvent, timeOfEventId } from './events.js';
import { Feed, type FeedEvent, type Listener, OVERLAP_MS, replayOf } from './feed.js';
import type { ChangesAsked, InboxChanges } from './ports.js';
import { readerDigest } from './reader.js';
import { type Reads, readsOf } from './reads.js';
import type { InboxPass } from './tokens.js';

/** One reader's connection. */
export interface Sink {
  /** False when it takes no more: the reader is too slow, or gone. */
  send(bytes: Buffer): boolean;
  end(): void;
}

export interface InboxStreamsParts {
  changes: InboxChanges;
  heartbeatMs: number;
  pollMs: number;
  /** Open at once, at the most. */
  maxStreams: number;
  now: () => Date;
  random: () => number;
  onProblem: (error: unknown) => void;
}

/** How far back a stream can be resumed, in milliseconds; deletions are remembered a little longer. */
const RESUMABLE_MS = 24 * 3_600_000;
/** Readers come back between these, so that a gateway that stops does not send all to the next one at once. */
const RETRY_MS = { from: 1_000, to: 3_000 };

const FEED_READS = { maxBatch: 200, maxInFlight: 4 };
/** Each goes back as far as it asks: only those of one reader and one time are alike. */
const REPLAYS = { maxBatch: 200, maxInFlight: 2 };

/** One open stream: holds back what comes live until it has been told what it missed. */
class Stream implements Listener {
  private held: FeedEvent[] | null = [];
  private lastId = '0';
  private expiry: NodeJS.Timeout | null = null;

  constructor(
    private readonly sink: Sink,
    private readonly retryMs: number,
    private readonly onGone: (stream: Stream) => void,
  ) {}

  tell(events: readonly FeedEvent[]): void {
    if (this.held !== null) this.held.push(...events);
    else for (const { id, bytes } of events) if (!this.send(id, bytes)) return;
  }

  restart(id: string): void {
    if (this.held === null) this.send(id, readyEvent(id, false, this.retryMs));
    else this.held = [{ id, bytes: readyEvent(id, false, this.retryMs) }];
  }

  /** @param missed null when it begins anew */
  begin(position: Date, missed: readonly FeedEvent[] | null, leftMs: number): void {
    const id = eventIdOf(position);
    for (const event of missed ?? []) if (!this.send(event.id, event.bytes)) return;
    if (!this.send(id, readyEvent(id, missed !== null, this.retryMs))) return;
    this.expiry = setTimeout(() => this.end('token_expired'), Math.max(0, leftMs));
    const held = this.held ?? [];
    this.held = null;
    this.tell(held);
  }

  beat(): void {
    if (this.held === null && !this.sink.send(HEARTBEAT)) this.drop();
  }

  end(reason: EndReason): void {
    this.sink.send(endEvent(this.lastId, reason));
    this.sink.end();
    this.drop();
  }

  /** Nothing more is told. */
  drop(): void {
    if (this.expiry !== null) clearTimeout(this.expiry);
    this.onGone(this);
  }

  private send(id: string, bytes: Buffer): boolean {
    this.lastId = id;
    if (this.sink.send(bytes)) return true;
    this.drop();
    return false;
  }
}

/** All streams that are open on one gateway. */
export class InboxStreams {
  private readonly feeds = new Map<string, Feed>();
  private readonly streams = new Set<Stream>();
  private readonly live: Reads;
  private readonly replays: Reads;
  private timers: NodeJS.Timeout[] | null = null;
  private closed = false;

  constructor(private readonly parts: InboxStreamsParts) {
    this.live = readsOf(parts.changes, ({ reader }) => reader.serviceName, FEED_READS);
    this.replays = readsOf(parts.changes, ({ reader, from }) => `${from.getTime()}:${readerDigest(reader)}`, REPLAYS);
  }

  /** How many are open. */
  get size(): number {
    return this.streams.size;
  }

  /**
   * Opens a stream, which ends with its token.
   * @param lastEventId where the reader's last stream ended, if it had one
   * @returns what to call when the reader has gone
   * @throws Unavailable when this gateway has as many as it keeps, or the database does not answer
   */
  async open(pass: InboxPass, lastEventId: string | null, sink: Sink): Promise<() => void> {
    if (this.closed || this.streams.size >= this.parts.maxStreams) throw new Unavailable('a place for one more stream');
    const digest = readerDigest(pass.reader);
    const feed = this.feedOf(digest, pass);
    const { from, to } = RETRY_MS;
    const retryMs = Math.floor(from + this.parts.random() * (to - from));
    const stream = new Stream(sink, retryMs, (gone) => this.forget(digest, feed, gone));
    // Listens first, and looks then: whatever shows after the look is told by the feed.
    feed.add(stream);
    this.streams.add(stream);
    this.startTimers();
    try {
      const position = await feed.position();
      const missed = await this.missed(pass, timeOfEventId(lastEventId), position);
      if (this.closed) throw new Unavailable('a process that is about to stop');
      stream.begin(position, missed, pass.expiresAt.getTime() - this.parts.now().getTime());
    } catch (error) {
      stream.drop();
      throw error;
    }
    return () => stream.drop();
  }

  /** Something changed for these readers. @param digests see `readerDigest` */
  wake(digests: readonly string[]): void {
    for (const digest of digests) this.feeds.get(digest)?.wake();
  }

  /** Something may have changed that nobody told. */
  wakeAll(): void {
    for (const feed of this.feeds.values()) feed.wake();
  }

  /** Ends all streams, each with the reason; none is opened any more. */
  close(): void {
    this.closed = true;
    for (const stream of [...this.streams]) stream.end('shutting_down');
    this.stopTimers();
  }

  private feedOf(digest: string, { reader }: InboxPass): Feed {
    const known = this.feeds.get(digest);
    if (known !== undefined) return known;
    const made = new Feed(reader, {
      read: (asked) => this.live.add(asked),
      now: () => this.parts.changes.now(),
      onProblem: this.parts.onProblem,
    });
    this.feeds.set(digest, made);
    return made;
  }

  /** Null when the stream begins anew: nothing to resume from, too long ago, or too much. */
  private async missed(
    { reader }: InboxPass,
    lastEventAt: Date | null,
    position: Date,
  ): Promise<readonly FeedEvent[] | null> {
    if (lastEventAt === null) return null;
    const age = position.getTime() - lastEventAt.getTime();
    // A time to come is none that we gave.
    if (age > RESUMABLE_MS || age < -RESUMABLE_MS) return null;
    const asked: ChangesAsked = { reader, from: new Date(lastEventAt.getTime() - OVERLAP_MS) };
    const { changes } = await this.replays.add(asked);
    return changes === null ? null : replayOf(changes);
  }

  private forget(digest: string, feed: Feed, stream: Stream): void {
    if (!this.streams.delete(stream)) return;
    feed.delete(stream);
    if (feed.size === 0 && this.feeds.get(digest) === feed) this.feeds.delete(digest);
    if (this.streams.size === 0) this.stopTimers();
  }

  private startTimers(): void {
    this.timers ??= [
      setInterval(() => {
        for (const stream of this.streams) stream.beat();
      }, this.parts.heartbeatMs),
      setInterval(() => this.wakeAll(), this.parts.pollMs),
    ];
  }

  private stopTimers(): void {
    for (const timer of this.timers ?? []) clearInterval(timer);
    this.timers = null;
  }
}
