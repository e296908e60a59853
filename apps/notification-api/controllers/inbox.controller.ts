import type { Readable } from 'node:stream';
import { Controller, Inject } from '@nestjs/common';
import type { InboxItemBody, InboxTokenBody, ReadAllBody, UnreadCountBody } from '#contracts/http/inbox';
import { OPERATIONS } from '#contracts/http/operations';
import { NotConfigured } from '#domain/errors';
import type { Page } from '#paging/cursor';
import type { CallOf } from '../http/call.js';
import { EVENT_STREAM_HEADERS, EventStream } from '../http/event-stream.js';
import { Handles } from '../http/handles.js';
import { type ApiParts, type InboxParts, PARTS } from '../tokens.js';

@Controller()
export class InboxController {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'inbox'>) {}

  @Handles(OPERATIONS.createInboxToken)
  async createToken({ caller, body }: CallOf<typeof OPERATIONS.createInboxToken>): Promise<InboxTokenBody> {
    const { token, expiresAt } = await this.inbox.tokens.issue(caller, body);
    return { token, expiresAt: expiresAt.toISOString() };
  }

  @Handles(OPERATIONS.listInbox)
  list({ pass, query }: CallOf<typeof OPERATIONS.listInbox>): Promise<Page<InboxItemBody>> {
    return this.inbox.items.list(pass.reader, query);
  }

  @Handles(OPERATIONS.countUnreadInbox)
  countUnread({ pass }: CallOf<typeof OPERATIONS.countUnreadInbox>): Promise<UnreadCountBody> {
    return this.inbox.items.countUnread(pass.reader);
  }

  @Handles(OPERATIONS.streamInbox)
  async stream(call: CallOf<typeof OPERATIONS.streamInbox>): Promise<Readable> {
    const stream = new EventStream();
    const gone = await this.inbox.streams.open(call.pass, call.lastEventId, stream);
    stream.once('close', gone);
    call.answerWith(EVENT_STREAM_HEADERS);
    return stream;
  }

  @Handles(OPERATIONS.readInboxItem)
  read(call: CallOf<typeof OPERATIONS.readInboxItem>): Promise<InboxItemBody> {
    call.about(call.params.id);
    return this.inbox.items.mark(call.pass.reader, call.params.id, true);
  }

  @Handles(OPERATIONS.unreadInboxItem)
  unread(call: CallOf<typeof OPERATIONS.unreadInboxItem>): Promise<InboxItemBody> {
    call.about(call.params.id);
    return this.inbox.items.mark(call.pass.reader, call.params.id, false);
  }

  @Handles(OPERATIONS.readAllInbox)
  readAll({ pass, body }: CallOf<typeof OPERATIONS.readAllInbox>): Promise<ReadAllBody> {
    return this.inbox.items.readAll(pass.reader, body);
  }

  @Handles(OPERATIONS.deleteInboxItem)
  delete(call: CallOf<typeof OPERATIONS.deleteInboxItem>): Promise<void> {
    call.about(call.params.id);
    return this.inbox.items.remove(call.pass.reader, call.params.id);
  }

  private get inbox(): InboxParts {
    if (this.parts.inbox === null) throw new NotConfigured('the in-app inbox', 'INBOX_TOKEN_SECRET');
    return this.parts.inbox;
  }
}
