import type {
  ChangesAsked,
  InboxChange,
  InboxChanges,
  InboxDeposits,
  InboxItem,
  InboxStore,
  NewInboxItem,
  Reader,
} from '#inbox/ports';
import { readerDigest } from '#inbox/reader';
import { newestFirst } from './memory-access.js';

/** In-memory twin of the ports of inboxes. Time stands still unless it is moved. */
export class MemoryInboxStore implements InboxStore, InboxDeposits, InboxChanges {
  readonly rows = new Map<string, InboxChange>();
  time = new Date('2026-11-21T08:00:00.000Z');
  /** What was asked together, look by look. */
  readonly looks: (readonly ChangesAsked[])[] = [];
  /** Answers when a look may go on; to see what happens meanwhile. */
  gate: () => Promise<void> = () => Promise.resolve();

  /** Moves the clock of the database. */
  pass(ms: number): void {
    this.time = new Date(this.time.getTime() + ms);
  }

  deposit(items: readonly NewInboxItem[]): Promise<void> {
    for (const { serviceName, tenantId, userId, ...content } of items) {
      if (this.rows.has(content.id)) continue;
      const item = { ...content, version: 1, createdAt: this.time, readAt: null };
      const reader = { serviceName, tenantId, userId };
      this.rows.set(content.id, { reader, id: content.id, version: 1, changedAt: this.time, item });
    }
    return Promise.resolve();
  }

  list(
    reader: Reader,
    { unread }: { unread: boolean },
    limit: number,
    after: { createdAt: Date; id: string } | null,
  ): Promise<InboxItem[]> {
    const items = this.of(reader)
      .flatMap(({ item }) => (item === null ? [] : [item]))
      .filter((item) => !unread || item.readAt === null)
      .filter((item) => after === null || newestFirst(after, item) < 0);
    return Promise.resolve(items.sort(newestFirst).slice(0, limit));
  }

  async countUnread(reader: Reader): Promise<number> {
    return (await this.list(reader, { unread: true }, Infinity, null)).length;
  }

  mark(reader: Reader, id: string, read: boolean): Promise<InboxItem | null> {
    const row = this.of(reader).find((one) => one.id === id);
    if (row === undefined || row.item === null) return Promise.resolve(null);
    if ((row.item.readAt !== null) === read) return Promise.resolve(row.item);
    const item = { ...row.item, readAt: read ? this.time : null, version: row.version + 1 };
    this.rows.set(id, { ...row, version: item.version, changedAt: this.time, item });
    return Promise.resolve(item);
  }

  async markAllRead(reader: Reader, upTo: Date | null): Promise<number> {
    const unread = (await this.list(reader, { unread: true }, Infinity, null)).filter(
      ({ createdAt }) => upTo === null || createdAt <= upTo,
    );
    for (const { id } of unread) await this.mark(reader, id, true);
    return unread.length;
  }

  remove(reader: Reader, id: string): Promise<boolean> {
    const row = this.of(reader).find((one) => one.id === id);
    if (row === undefined || row.item === null) return Promise.resolve(false);
    this.rows.set(id, { ...row, version: row.version + 1, changedAt: this.time, item: null });
    return Promise.resolve(true);
  }

  now(): Promise<Date> {
    return Promise.resolve(this.time);
  }

  async changes(_serviceName: string, asked: readonly ChangesAsked[], limit: number): Promise<InboxChange[]> {
    this.looks.push(asked);
    await this.gate();
    const earliest = Math.min(...asked.map(({ from }) => from.getTime()));
    const digests = new Set(asked.map(({ reader }) => readerDigest(reader)));
    return [...this.rows.values()]
      .filter(({ reader, changedAt }) => digests.has(readerDigest(reader)) && changedAt.getTime() >= earliest)
      .sort((a, b) => a.changedAt.getTime() - b.changedAt.getTime())
      .slice(0, limit);
  }

  private of(reader: Reader): InboxChange[] {
    return [...this.rows.values()].filter((row) => readerDigest(row.reader) === readerDigest(reader));
  }
}
