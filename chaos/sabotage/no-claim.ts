import type { Databases } from '#persistence/databases';
import { MongoDeliveryStore } from '#persistence/notifications/delivery-store';
import { notifications } from '#persistence/notifications/schema';
import { objectIdsOf } from '#persistence/schema';

/** Whoever is woken takes the notification, whatever its state and whoever has it. */
const claim = Object.getOwnPropertyDescriptor(MongoDeliveryStore.prototype, 'claim')
  ?.value as MongoDeliveryStore['claim'];

MongoDeliveryStore.prototype.claim = async function (this: MongoDeliveryStore, request) {
  const { databases } = this as unknown as { databases: Databases };
  await databases.inService(request.serviceName, notifications, (collection) =>
    collection.updateMany(
      { _id: { $in: objectIdsOf(request.ids) } },
      { $set: { state: 'approved', nextAttemptAt: new Date(0), deliveries: [] } },
    ),
  );
  return claim.call(this, request);
};
