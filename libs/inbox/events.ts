import type { INBOX_EVENTS, InboxEvent } from '#contracts/http/inbox';
import type { z } from 'zod';
import type { InboxChange } from './ports.js';
import { inboxItemView } from './views.js';

/** Server-sent events as bytes. https://html.spec.whatwg.org/multipage/server-sent-events.html */

/**
 * An event's id is a time of the database, in milliseconds since 1970: all that had changed by then, but for what was
 * just being written, came before it. Opaque to readers.
 */
export const eventIdOf = (at: Date): string => String(at.getTime());

/** Null for what is no id of ours. */
export const timeOfEventId = (id: string | null): Date | null =>
  id !== null && /^[0-9]{1,15}$/.test(id) ? new Date(Number(id)) : null;

const eventOf = <E extends InboxEvent>(
  event: E,
  id: string,
  data: z.output<(typeof INBOX_EVENTS)[E]>,
  more = '',
): Buffer => Buffer.from(`${more}id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

export type EndReason = z.output<(typeof INBOX_EVENTS)['end']>['reason'];

/** @param retryMs after which a reader that lost its connection may come again */
export const readyEvent = (id: string, resumed: boolean, retryMs: number): Buffer =>
  eventOf('ready', id, { resumed }, `retry: ${retryMs}\n`);

export const changeEvent = (id: string, change: InboxChange): Buffer =>
  change.item === null
    ? eventOf('removed', id, { id: change.id, version: change.version })
    : eventOf('item', id, inboxItemView(change.item));

export const endEvent = (id: string, reason: EndReason): Buffer => eventOf('end', id, { reason });

/** A comment: keeps the connection from looking dead, and is nothing to readers. */
export const HEARTBEAT: Buffer = Buffer.from(':\n\n');
