import { setTimeout as delay } from 'node:timers/promises';
import { MongoAcceptStore } from '#persistence/notifications/accept-store';

/** What is accepted is answered before it is written. */
const LATER_MS = 300;

const insertAccepted = Object.getOwnPropertyDescriptor(MongoAcceptStore.prototype, 'insertAccepted')
  ?.value as MongoAcceptStore['insertAccepted'];

MongoAcceptStore.prototype.insertAccepted = function (this: MongoAcceptStore, batch) {
  void delay(LATER_MS)
    .then(() => insertAccepted.call(this, batch))
    .catch(() => undefined);
  return Promise.resolve(batch.map(() => ({ kind: 'inserted' as const })));
};
