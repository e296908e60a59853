import { setTimeout as delay } from 'node:timers/promises';
import type { Announcement } from '#domain/announcement';
import type { Clearing } from '#outbox/clearing';
import { OutboxPublisher } from '#outbox/outbox';

/** What is owed to the broker is struck off before it is published. */
const LATER_MS = 1_000;

interface Inside {
  clearing: Clearing;
  publish: (this: Inside, batch: readonly Announcement[]) => Promise<void>;
}

const inside = OutboxPublisher.prototype as unknown as Inside;
const { publish } = inside;

inside.publish = async function (this: Inside, batch) {
  for (const { notification, wake } of batch) this.clearing.add(notification, wake === 'later');
  await this.clearing.drained();
  await delay(LATER_MS);
  await publish.call(this, batch);
};
