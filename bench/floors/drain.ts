import { randomUUID } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import { mongo } from 'mongoose';
import type { SendRequest } from '#domain/sender';
import { FLOOR_EXCHANGE, FLOOR_QUEUE, openBroker, publishAll } from './broker.js';
import { openCollection, required, tell } from './environment.js';
import { bareSender } from './senders.js';

/**
 * Takes wake-ups from the queue, claims up to 500 notifications in one write, hands them to the provider's library,
 * settles them in one write, publishes one status each, and acknowledges. Says when all of them are settled.
 */
const PREFETCH = 1_000;
const BATCH = 500;
const BATCHES_IN_FLIGHT = 4;

const drained = Object.keys(bareSender) as (keyof typeof bareSender)[];
const channelName = drained.find((name) => name === process.env['FLOOR_CHANNEL']) ?? 'push';
const expected = Number(required('FLOOR_COUNT'));
const { collection } = await openCollection();
const { model, channel: publishing } = await openBroker();
const send = bareSender[channelName]();
const consuming = await model.createChannel();
await consuming.prefetch(PREFETCH);

let arrived: ConsumeMessage[] = [];
let inFlight = 0;
let done = 0;

const claim = async (ids: mongo.ObjectId[]): Promise<mongo.Document[]> => {
  const token = randomUUID();
  await collection.updateMany(
    { _id: { $in: ids }, state: 'approved' },
    { $set: { state: 'sending', lease: { token, until: new Date(Date.now() + 60_000) } }, $inc: { version: 1 } },
  );
  return collection.find({ _id: { $in: ids }, 'lease.token': token }, { batchSize: ids.length + 1 }).toArray();
};

const requestOf = (document: mongo.Document): SendRequest => {
  const id = String(document['_id']);
  return {
    ...(document as unknown as SendRequest),
    notificationId: id,
    deliveryId: `${id}-1`,
    target: String((document['to'] as string[])[0]),
    reference: String(document['reference']),
    groupId: null,
    expiresAt: null,
    html: null,
    attempt: 1,
    traceparent: null,
  };
};

const handle = async (messages: readonly ConsumeMessage[]): Promise<void> => {
  const ids = messages.map(({ content }) => {
    const { notificationId } = JSON.parse(content.toString()) as { notificationId: string };
    return mongo.ObjectId.createFromHexString(notificationId);
  });
  const requests = (await claim(ids)).map(requestOf);
  await send(requests);
  const now = new Date();
  const history = { from: 'sending', to: 'sent', at: now, actor: 'dispatcher', reason: null };
  await collection.updateMany(
    { _id: { $in: ids }, state: 'sending' },
    {
      $set: { state: 'sent', status: 'sent', sentAt: now, updatedAt: now },
      $push: { history: history as never },
      $inc: { version: 1 },
    },
  );
  done += messages.length;
  if (done === expected) tell({ done });
  const statuses = requests.map(({ notificationId, serviceName, reference }) => ({
    eventId: `${notificationId}:3`,
    occurredAt: now,
    notificationId,
    serviceName,
    reference,
    channel: channelName,
    version: 3,
    previousStatus: 'pending',
    status: 'sent',
    state: 'sent',
    final: true,
    sentAt: now,
  }));
  await publishAll(publishing, FLOOR_EXCHANGE, 'notification.status', statuses);
  for (const message of messages) consuming.ack(message);
};

const pump = (): void => {
  while (inFlight < BATCHES_IN_FLIGHT && arrived.length > 0) {
    const batch = arrived.slice(0, BATCH);
    arrived = arrived.slice(BATCH);
    inFlight += 1;
    void handle(batch).finally(() => {
      inFlight -= 1;
      pump();
    });
  }
};

let scheduled = false;
await consuming.consume(FLOOR_QUEUE, (message) => {
  if (message === null) return;
  arrived.push(message);
  if (scheduled) return;
  scheduled = true;
  setImmediate(() => {
    scheduled = false;
    pump();
  });
});
process.on('SIGTERM', () => process.exit(0));
