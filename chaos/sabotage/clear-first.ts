import { setTimeout as delay } from 'node:timers/promises';
import type { Announcement } from '#domain/announcement';
import type { Clearing } from '#outbox/clearing';
import { OutboxPublisher } from '#outbox/outbox';

/** What is owed to the broker is struck off before it is published. */
const LATER_MS = 1_000;

interface Inside {
  clearing: Clearing;
  publish: (this: Inside, batch: readonly { announcement: Announcement }[]) => Promise<void>;
}

const inside = OutboxPublisher.prototype as unknown as Inside;
const { publish } = inside;

inside.publish = async function (this: Inside, batch) {
  for (const { announcement } of batch) this.clearing.add(announcement.notification, announcement.wake === 'later');
  await this.clearing.drained();
  await delay(LATER_MS);
  await publish.call(this, batch);
};
