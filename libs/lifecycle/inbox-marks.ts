import type { Notification } from '#domain/notification';
import type { InboxMarks } from './ports.js';

/**
 * What was read elsewhere is read in the inbox too. Done again by whoever repeats the call, also where the notification
 * says so already: a process may have died between the two.
 * @throws Unavailable
 */
export const readInInbox = async (inbox: InboxMarks, notification: Notification): Promise<void> => {
  const { channel, readAt, serviceName, id } = notification;
  if (channel === 'in-app' && readAt !== null) await inbox.markRead(serviceName, id);
};
