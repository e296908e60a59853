import {
  CreateInboxToken,
  InboxItemBody,
  InboxItemPath,
  InboxTokenBody,
  ListInboxQuery,
  ReadAll,
  ReadAllBody,
  UnreadCountBody,
} from './inbox.js';
import { listOf } from './lists.js';
import { created, noContent, type Operation } from './operation.js';

const reader = { tag: 'inbox', scopes: [], reader: true } as const;
const ofOne = (method: 'POST' | 'DELETE', path: string, summary: string) =>
  ({ ...reader, method, path: `/api/inbox/:id${path}`, summary, params: InboxItemPath }) as const;
const markItem = (path: string, summary: string) =>
  ({
    ...ofOne('POST', path, summary),
    answer: { status: 200, body: InboxItemBody, description: 'The item as it stands now.' },
    problems: ['not_found', 'idempotency_key_in_use', 'idempotency_key_reused'],
  }) as const satisfies Omit<Operation, 'id'>;

/** What one user asks of one inbox; but for the token, that their service asks for. */
export const INBOX_OPERATIONS = {
  createInboxToken: {
    tag: 'inbox',
    method: 'POST',
    path: '/api/inbox/tokens',
    summary: 'Make a token that lets one user read their inbox',
    scopes: ['inbox:tokens'],
    body: CreateInboxToken,
    answer: { status: 201, body: InboxTokenBody, description: 'The token, for this user alone.' },
    problems: ['not_configured', ...created],
  },
  listInbox: {
    ...reader,
    method: 'GET',
    path: '/api/inbox',
    summary: 'List the inbox, newest first',
    query: ListInboxQuery,
    answer: { status: 200, body: listOf(InboxItemBody), description: 'One page.' },
    problems: ['invalid_query', 'invalid_cursor'],
  },
  countUnreadInbox: {
    ...reader,
    method: 'GET',
    path: '/api/inbox/unread-count',
    summary: 'Count what is unread',
    answer: { status: 200, body: UnreadCountBody, description: 'How many.' },
    problems: [],
  },
  streamInbox: {
    ...reader,
    method: 'GET',
    path: '/api/inbox/stream',
    summary: 'Hear of everything that changes in the inbox, as it happens',
    answer: {
      status: 200,
      stream: true,
      description:
        'Server-sent events: `ready` first, then `item` and `removed`, `end` with the reason when it closes. `Last-Event-ID` resumes after the last event received.',
    },
    problems: [],
  },
  readAllInbox: {
    ...reader,
    method: 'POST',
    path: '/api/inbox/read-all',
    summary: 'Mark all as read',
    body: ReadAll,
    bodyOptional: true,
    answer: { status: 200, body: ReadAllBody, description: 'How many were unread.' },
    problems: [...created],
  },
  readInboxItem: markItem('/read', 'Mark one as read'),
  unreadInboxItem: markItem('/unread', 'Mark one as unread'),
  deleteInboxItem: {
    ...ofOne('DELETE', '', 'Delete one'),
    answer: noContent,
    problems: ['not_found'],
  },
} as const satisfies Record<string, Omit<Operation, 'id'>>;
