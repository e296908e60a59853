import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { QUEUE_SPECS, QUEUES } from '#contracts/topology';
import { runApp } from '#testing/processes';
import { createProxy, type TestProxy } from '#testing/proxy';
import { createVhost, type TestVhost } from '#testing/rabbitmq';
import { connect } from 'amqplib';

let vhost: TestVhost;
let mongodb: TestProxy;
let rabbitmq: TestProxy;
let env: Record<string, string>;

beforeAll(async () => {
  vhost = await createVhost();
  mongodb = await createProxy(process.env['MONGODB_URI'] ?? '');
  rabbitmq = await createProxy(vhost.uri);
  env = { MONGODB_URI: mongodb.uri, RABBITMQ_URI: rabbitmq.uri, CARILLON_DATABASE_PREFIX: 'commands_' };
});
afterAll(async () => {
  await mongodb.close();
  await rabbitmq.close();
  await vhost.drop();
});

describe('declare-topology', () => {
  it('declares every queue, and may be repeated', async () => {
    const said = [
      await runApp('scheduler', ['declare-topology'], env),
      await runApp('scheduler', ['declare-topology'], env),
    ];
    expect(said).toEqual(Array(2).fill(`exchanges and ${QUEUE_SPECS.length} queues are in place\n`));
    expect([...(await vhost.queues()).keys()].toSorted()).toEqual(QUEUE_SPECS.map(({ name }) => name).toSorted());
  });

  it('fails and names a queue that is there with other arguments', async () => {
    const other = await createVhost();
    try {
      const model = await connect(other.uri);
      await (await model.createChannel()).assertQueue(QUEUES.reports, { durable: true });
      await model.close();
      await expect(runApp('scheduler', ['declare-topology'], { ...env, RABBITMQ_URI: other.uri })).rejects.toThrow(
        `queue "${QUEUES.reports}" with other arguments`,
      );
    } finally {
      await other.drop();
    }
  });
});

describe('wait-for-servers', () => {
  it.each(['dispatcher', 'scheduler'])('%s: ends at once when both answer', async (app) => {
    expect(await runApp(app, ['wait-for-servers'], env)).toBe('mongodb and rabbitmq answer\n');
  });

  it('the gateway does without RabbitMQ, and says so without its password', async () => {
    rabbitmq.cut();
    try {
      const said = await runApp('notification-api', ['wait-for-servers'], env);
      expect(said).toMatch(/^warning: rabbitmq \(RABBITMQ_URI\) does not answer: .+\nmongodb answers\n$/);
      expect(said).not.toContain(new URL(vhost.uri).password);
    } finally {
      rabbitmq.restore();
    }
  });

  it('names the variable that is missing', async () => {
    const without = { ...env, MONGODB_URI: '' };
    await expect(runApp('dispatcher', ['wait-for-servers'], without)).rejects.toThrow(
      'ended with 78: Configuration is invalid:\n  MONGODB_URI is required',
    );
  });
});

it.each(['notification-api', 'dispatcher', 'scheduler'])('%s refuses a word that is no command', async (app) => {
  await expect(runApp(app, ['wait-for-server'], env)).rejects.toThrow(
    'ended with 64: there is no command "wait-for-server"',
  );
});
