import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SandboxClient, startSandboxClient } from '../../../../apps/sandbox/client.js';
import { MongoTokenStore } from '#persistence/tokens/token-store';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { sendRequest } from '../../conformance.js';
import { smsSender } from '../spec-sms.js';

describe("Orange's token in MongoDB", () => {
  let sandbox: SandboxClient;
  let test: TestDatabases;
  beforeAll(async () => {
    sandbox = await startSandboxClient();
    test = await openTestDatabases();
  });
  afterAll(async () => {
    await sandbox.close();
    await test.drop();
  });

  it('is asked for once by dispatchers that share nothing else', async () => {
    await sandbox.call('/faults/sms', {
      method: 'PUT',
      body: [{ kind: 'latency', latencyMs: 20, stage: 'auth' }],
    });
    const senders = Array.from({ length: 4 }, () =>
      smsSender(sandbox.httpUrl, { SMS_PROVIDERS: 'orange' }, new MongoTokenStore(test.another())),
    );
    const batch = Array.from({ length: 10 }, () => sendRequest({ target: '+2250707123456' }));
    const outcomes = await Promise.all(senders.map((sender) => sender.send(batch, new AbortController().signal)));
    await Promise.all(senders.map((sender) => sender.close()));
    expect(new Set(outcomes.flat().map(({ kind }) => kind))).toEqual(new Set(['sent']));
    expect(await sandbox.call('/faults')).toMatchObject({ sms: [{ struck: 1 }] });
  });
});
