import type { InboxItemBody, ListInboxQuery, ReadAll, ReadAllBody, UnreadCountBody } from '#contracts/http/inbox';
import { NotInInbox } from '#domain/errors';
import { Cursors, type Page, pageOf } from '#paging/cursor';
import type { InboxSignals, InboxStore, Reader } from './ports.js';
import { readerDigest } from './reader.js';
import { inboxItemView } from './views.js';

export interface InboxUseParts {
  store: InboxStore;
  signals: InboxSignals;
}

/** What a reader does with the inbox that the token is for; of others' items there are none. */
export class Inbox {
  constructor(private readonly parts: InboxUseParts) {}

  /** @throws InvalidCursor */
  async list(reader: Reader, { limit, cursor, unread }: ListInboxQuery): Promise<Page<InboxItemBody>> {
    const cursors = new Cursors(`inbox:${readerDigest(reader)}`, { unread });
    const rows = await this.parts.store.list(reader, { unread }, limit + 1, cursors.time(cursor));
    const { data, page } = pageOf(rows, limit, (last) => cursors.ofTime(last));
    return { data: data.map(inboxItemView), page };
  }

  async countUnread(reader: Reader): Promise<UnreadCountBody> {
    return { unread: await this.parts.store.countUnread(reader) };
  }

  /** Marks one as read or unread; what is so already stays so. @throws NotInInbox */
  async mark(reader: Reader, id: string, read: boolean): Promise<InboxItemBody> {
    const item = await this.parts.store.mark(reader, id, read);
    if (item === null) throw new NotInInbox();
    this.parts.signals.changed([reader]);
    return inboxItemView(item);
  }

  async readAll(reader: Reader, { upTo }: ReadAll): Promise<ReadAllBody> {
    const read = await this.parts.store.markAllRead(reader, upTo == null ? null : new Date(upTo));
    if (read > 0) this.parts.signals.changed([reader]);
    return { read };
  }

  /** @throws NotInInbox */
  async remove(reader: Reader, id: string): Promise<void> {
    if (!(await this.parts.store.remove(reader, id))) throw new NotInInbox();
    this.parts.signals.changed([reader]);
  }
}
