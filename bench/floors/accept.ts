import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { mongo } from 'mongoose';
import { GroupCommit } from '#batching/group-commit';
import { FLOOR_QUEUE, openBroker, publishAll } from './broker.js';
import { openCollection, sampleDocument, tell } from './environment.js';

/**
 * Fastify, requests in flight written together by one insertMany, answered with what was written, then published with
 * confirms. No keys, no validation, no limits, no logs.
 */
const { collection } = await openCollection();
const { channel } = await openBroker();
const sample = sampleDocument();

const group = new GroupCommit<mongo.Document, void>(
  async (documents) => {
    await collection.insertMany([...documents], { ordered: false });
    void publishAll(
      channel,
      '',
      FLOOR_QUEUE,
      documents.map(({ _id, serviceName }) => ({ notificationId: String(_id), serviceName: String(serviceName) })),
    );
    return documents.map(() => ({ value: undefined }));
  },
  { maxBatch: 500, maxInFlight: 2 },
);

const server = fastify({ logger: false });
server.post<{ Body: Record<string, unknown> }>('/api/notifications', async (request, reply) => {
  const _id = new mongo.ObjectId();
  const now = new Date();
  const document = {
    ...sample,
    ...request.body,
    _id,
    createdAt: now,
    updatedAt: now,
    idempotency: { scope: String(request.headers['idempotency-key']).padEnd(43, '-'), fingerprint: 'x'.repeat(43) },
  };
  await group.add(document);
  return reply.code(202).send({ ...document, _id: _id.toHexString() });
});
await server.listen({ port: 0, host: '127.0.0.1' });
tell({ port: (server.server.address() as AddressInfo).port });
process.on('SIGTERM', () => process.exit(0));
