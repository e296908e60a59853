import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createProxy, type TestProxy } from '#testing/proxy';
import { createVhost, type TestVhost } from '#testing/rabbitmq';
import { ServerMissing, waitForServers } from './wait-for-servers.js';

let vhost: TestVhost;
let mongodb: TestProxy;
let rabbitmq: TestProxy;
let environment: Record<string, string>;

beforeAll(async () => {
  vhost = await createVhost();
  mongodb = await createProxy(process.env['MONGODB_URI'] ?? '');
  rabbitmq = await createProxy(vhost.uri);
  environment = { MONGODB_URI: mongodb.uri, RABBITMQ_URI: rabbitmq.uri };
});
afterAll(async () => {
  await mongodb.close();
  await rabbitmq.close();
  await vhost.drop();
});

describe.each(['mongodb', 'rabbitmq'] as const)('%s is away', (server) => {
  const proxyOf = (): TestProxy => ({ mongodb, rabbitmq })[server];

  it('waits for it, says so once, and goes on when it is back', async () => {
    proxyOf().cut();
    const lines: string[] = [];
    const answer = await waitForServers(environment, {
      needed: ['mongodb', 'rabbitmq'],
      say: (line) => {
        lines.push(line);
        proxyOf().restore();
      },
    });
    expect(answer).toBe('mongodb and rabbitmq answer');
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^waiting for ${server} \\(${server.toUpperCase()}_URI\\): .`)),
    ]);
  });

  it('gives up at the deadline, and names the variable but no secret', async () => {
    proxyOf().cut();
    try {
      const waiting = waitForServers(environment, {
        needed: ['mongodb', 'rabbitmq'],
        deadlineMs: 0,
        say: () => undefined,
      });
      const error = await waiting.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ServerMissing);
      expect(String(error)).toContain(`See ${server.toUpperCase()}_URI`);
      expect(String(error)).not.toContain(new URL(vhost.uri).password);
    } finally {
      proxyOf().restore();
    }
  });
});

it('refuses wrong credentials as what they are', async () => {
  const uri = new URL(vhost.uri);
  uri.password = 'wrong-password';
  const lines: string[] = [];
  await waitForServers(
    { ...environment, RABBITMQ_URI: uri.href },
    { needed: [], wanted: ['rabbitmq'], say: (line) => lines.push(line) },
  );
  expect(lines).toEqual([expect.stringMatching(/ACCESS.REFUSED/)]);
  expect(lines.join()).not.toContain('wrong-password');
});
