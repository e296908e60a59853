import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Notification } from '#domain/notification';
import { accepted, aDelivery, anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { MongoAcceptStore } from './accept-store.js';
import { MongoReceiptStore } from './receipt-store.js';

describe('deliveries that receipts name', () => {
  let test: TestDatabases;
  let store: MongoReceiptStore;
  const sent = async (over: Partial<Notification>, provider: string, ids: readonly string[]): Promise<string> => {
    const id = anId();
    const deliveries = ids.map((providerMessageId, index) =>
      aDelivery(id, { id: `${id}-${index + 1}`, provider, providerMessageId }),
    );
    const given = accepted({ id, channel: 'sms', state: 'sent', deliveries, ...over });
    await new MongoAcceptStore(test.databases).insertAccepted([given]);
    return id;
  };
  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoReceiptStore(test.databases);
  });
  afterAll(() => test.drop());

  it("are found by the provider's id, in whatever service, through an index", async () => {
    await sent({}, 'orange', ['r-0']);
    const id = await sent({ serviceName: 'diabetes' }, 'orange', ['r-1', 'r-2']);
    const plans = await test.plansOf(async () => {
      expect(await store.findDelivery('sms', 'orange', 'r-2')).toEqual({
        serviceName: 'diabetes',
        deliveryId: `${id}-2`,
      });
    });
    expect(plans.map(({ indexes }) => indexes)).toEqual([['sms_receipts'], ['sms_receipts']]);
  });

  it('are not found by what another provider, or another channel, gave that id to', async () => {
    await sent({}, 'twilio', ['r-3']);
    await sent({ channel: 'push' }, 'orange', ['r-3']);
    expect(await store.findDelivery('sms', 'orange', 'r-3')).toBeNull();
    expect(await store.findDelivery('sms', 'orange', 'r-4')).toBeNull();
  });
});
