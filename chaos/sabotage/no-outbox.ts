import { MongoAcceptStore } from '#persistence/notifications/accept-store';

/** Notifications owe nothing to the broker: what could not be published is forgotten. */
const insertAccepted = Object.getOwnPropertyDescriptor(MongoAcceptStore.prototype, 'insertAccepted')
  ?.value as MongoAcceptStore['insertAccepted'];

MongoAcceptStore.prototype.insertAccepted = function (this: MongoAcceptStore, batch) {
  return insertAccepted.call(
    this,
    batch.map((accepted) => ({ ...accepted, outbox: null })),
  );
};
