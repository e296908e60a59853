import { z } from 'zod';
import { PRIORITIES, TYPES } from '../vocabulary.js';
import { Paging } from './lists.js';
import { Id, NullableTime, OutTime, ServiceName, TenantId, Time, UserId } from './primitives.js';

/** Cookie that may carry an inbox token instead of `Authorization`; set by the service's backend, for its own pages. */
export const INBOX_COOKIE = 'carillon_inbox';

const InboxItemId = z.string().regex(/^[0-9a-f]{24}-[0-9]{1,2}$/, 'must be the id of an inbox item');
export const InboxItemPath = z.strictObject({ id: InboxItemId });

export const CreateInboxToken = z
  .strictObject({
    serviceName: ServiceName,
    userId: UserId,
    tenantId: TenantId.nullish(),
    ttlSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .optional()
      .meta({ description: 'How long it is valid; no longer than INBOX_TOKEN_MAX_SECONDS, which is the default.' }),
  })
  .meta({ id: 'CreateInboxToken', examples: [{ serviceName: 'diabetes', userId: 'p-1042', ttlSeconds: 900 }] });
export type CreateInboxToken = z.output<typeof CreateInboxToken>;

export const InboxTokenBody = z
  .object({ token: z.string().meta({ description: 'A secret of this one user.' }), expiresAt: OutTime })
  .meta({ id: 'InboxToken' });
export type InboxTokenBody = z.output<typeof InboxTokenBody>;

export const ListInboxQuery = z.strictObject({
  unread: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(false)
    .meta({ description: 'Only what is unread.' }),
  ...Paging,
});
export type ListInboxQuery = z.output<typeof ListInboxQuery>;

export const InboxItemBody = z
  .object({
    id: InboxItemId,
    notificationId: Id,
    version: z
      .int()
      .meta({ description: 'Grows with each change: of two pictures of an item the greater is the later.' }),
    type: z.enum(TYPES),
    priority: z.enum(PRIORITIES),
    title: z.string().nullable(),
    body: z.string(),
    data: z.record(z.string(), z.unknown()),
    reference: z.string().nullable(),
    groupId: z.string().nullable(),
    createdAt: OutTime,
    readAt: NullableTime,
  })
  .meta({ id: 'InboxItem' });
export type InboxItemBody = z.output<typeof InboxItemBody>;

export const UnreadCountBody = z.object({ unread: z.int() }).meta({ id: 'UnreadCount' });
export type UnreadCountBody = z.output<typeof UnreadCountBody>;

export const ReadAll = z
  .strictObject({
    upTo: Time.nullish().meta({ description: '`createdAt` of the newest item that was seen; without it, all.' }),
  })
  .meta({ id: 'ReadAll', examples: [{ upTo: '2026-11-21T08:00:00.000Z' }] });
export type ReadAll = z.output<typeof ReadAll>;

export const ReadAllBody = z.object({ read: z.int() }).meta({ id: 'ReadAllResult' });
export type ReadAllBody = z.output<typeof ReadAllBody>;

/** Events of the stream, by name, with their data as JSON. Only add: readers ignore those that they do not know. */
export const INBOX_EVENTS = {
  /** The stream is live. `resumed` false: what came before is not told, load the list. */
  ready: z.object({ resumed: z.boolean() }),
  /** Stored or changed: replaces what is held under its id, if its version is greater. */
  item: InboxItemBody,
  removed: z.object({ id: InboxItemId, version: z.int() }),
  /** The stream ends, and why. */
  end: z.object({ reason: z.enum(['token_expired', 'shutting_down']) }),
} as const;
export type InboxEvent = keyof typeof INBOX_EVENTS;
