import type { Channel } from '#contracts/vocabulary';
import type { ReceiptStore } from '#lifecycle/ports';
import type { Databases } from '../databases.js';
import { notifications } from './schema.js';

export class MongoReceiptStore implements ReceiptStore {
  constructor(private readonly databases: Databases) {}

  async findDelivery(
    channel: Channel,
    provider: string,
    providerMessageId: string,
  ): Promise<{ serviceName: string; deliveryId: string } | null> {
    const found = await Promise.all(
      this.databases.services.map((serviceName) =>
        this.databases.inService(serviceName, notifications, async (collection) => {
          const documents = await collection
            .find(
              { channel, 'deliveries.providerMessageId': providerMessageId },
              { projection: { deliveries: 1 }, limit: 2 },
            )
            .toArray();
          return documents
            .flatMap(({ deliveries }) => deliveries ?? [])
            .flatMap((one) =>
              one.providerMessageId === providerMessageId && one.provider === provider
                ? [{ serviceName, deliveryId: one.id }]
                : [],
            );
        }),
      ),
    );
    return found.flat()[0] ?? null;
  }
}
