import type { Announcement, Announcer } from '#domain/announcement';

/** Announces documents that carry no outbox; answers whether the broker has confirmed all. */
export const tell = (announcer: Announcer, announcements: readonly Announcement[]): Promise<boolean> =>
  announcements.length === 0
    ? Promise.resolve(true)
    : new Promise((resolve) => announcer.announce(announcements, resolve));
