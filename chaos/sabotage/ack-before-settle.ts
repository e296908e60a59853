import type { Databases } from '#persistence/databases';
import { MongoDeliveryStore } from '#persistence/notifications/delivery-store';
import { notifications } from '#persistence/notifications/schema';
import { objectIdsOf } from '#persistence/schema';

/** What is claimed counts as sent from then on, and is only corrected when it is settled. */
const methodOf = <K extends 'claim' | 'settle'>(name: K): MongoDeliveryStore[K] =>
  Object.getOwnPropertyDescriptor(MongoDeliveryStore.prototype, name)?.value as MongoDeliveryStore[K];

const claim = methodOf('claim');
const settle = methodOf('settle');

const mark = async (
  store: MongoDeliveryStore,
  serviceName: string,
  ids: readonly string[],
  tokens: readonly string[],
  from: 'sending' | 'sent',
  to: 'sending' | 'sent',
): Promise<void> => {
  const { databases } = store as unknown as { databases: Databases };
  await databases.inService(serviceName, notifications, (collection) =>
    collection.updateMany(
      { _id: { $in: objectIdsOf(ids) }, state: from, 'lease.token': { $in: [...tokens] } },
      { $set: { state: to, status: to === 'sent' ? 'sent' : 'pending' } },
    ),
  );
};

MongoDeliveryStore.prototype.claim = async function (this: MongoDeliveryStore, request) {
  const claimed = await claim.call(this, request);
  await mark(this, request.serviceName, request.ids, [request.token], 'sending', 'sent');
  return claimed;
};

MongoDeliveryStore.prototype.settle = async function (this: MongoDeliveryStore, settlements) {
  for (const [serviceName, mine] of Map.groupBy(settlements, (settlement) => settlement.serviceName)) {
    const tokens = [...new Set(mine.map(({ token }) => token))];
    const ids = mine.map(({ id }) => id);
    await mark(this, serviceName, ids, tokens, 'sent', 'sending');
  }
  return settle.call(this, settlements);
};
