import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { InvalidSettings, parseSettings } from '#config/settings';
import { CHANNELS } from '#contracts/vocabulary';
import { MemoryInboxStore } from '#testing/memory-inbox';
import { MemoryTokenStore } from '#testing/memory-tokens';
import { openProviders } from '#testing/open-providers';
import { sendRequest } from './conformance.js';
import { closeSenders, createSenders, figuresOf, type Senders } from './senders.js';
import { ChannelSettings } from './settings.js';

const create = (variables: Record<string, string>): Senders =>
  createSenders(parseSettings(ChannelSettings, variables), {
    tokens: new MemoryTokenStore(),
    inbox: new MemoryInboxStore(),
    providers: openProviders(),
  });

const serviceAccount = (): string => {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return JSON.stringify({ project_id: 'p', client_email: 'a@p.iam.gserviceaccount.com', private_key: privateKey });
};

describe('the senders', () => {
  it('are all there without any settings, and say that they are not configured', async () => {
    const senders = create({});
    for (const channel of CHANNELS) {
      expect(senders[channel].channel).toBe(channel);
      // Our own inbox needs no settings.
      if (channel === 'in-app') continue;
      const outcomes = await senders[channel].send([sendRequest({ target: 'x' })], new AbortController().signal);
      expect(outcomes).toEqual([
        expect.objectContaining({ kind: 'credentials', code: 'not_configured', class: 'credentials' }),
      ]);
    }
    await closeSenders(senders);
  });

  it('take a service account by path or by value', async () => {
    const account = serviceAccount();
    const folder = await mkdtemp(join(tmpdir(), 'carillon-push-'));
    const file = join(folder, 'key.json');
    await writeFile(file, account);
    for (const variables of [{ FCM_CREDENTIALS_JSON: account }, { FCM_CREDENTIALS_FILE: file }]) {
      const senders = create({ FCM_PROJECT_ID: 'p', ...variables });
      expect(senders.push).toMatchObject({ batchSize: 500, concurrency: 4, timeoutMs: 15_000 });
      expect(figuresOf(senders)).toMatchObject([{ name: 'fcm', health: 'up' }, { name: 'in-app' }]);
      await closeSenders(senders);
    }
    await rm(folder, { recursive: true });
  });

  it.each([
    [{ FCM_PROJECT_ID: 'p' }, /is required with FCM_PROJECT_ID/],
    [{ FCM_PROJECT_ID: 'p', FCM_ACCESS_TOKEN: 't', FCM_CREDENTIALS_JSON: '{}' }, /only one of them/],
    [{ FCM_PROJECT_ID: 'p', FCM_CREDENTIALS_JSON: '{"private_key":"secret-key"}' }, /FCM_CREDENTIALS_JSON must hold/],
    [{ FCM_PROJECT_ID: 'p', FCM_CREDENTIALS_FILE: '/nonexistent.json' }, /FCM_CREDENTIALS_FILE must hold/],
    [{ FCM_PROJECT_ID: 'p', EMAIL_FROM: 'a@example.org' }, /FCM_PROJECT_ID[\s\S]*SMTP_URL/],
    [{ SMS_PROVIDERS: 'orange,twilio' }, /ORANGE_CLIENT_ID is required[\s\S]*TWILIO_FROM is required/],
    [{ PROVIDERS_BY_SERVICE: 'test/fax=x' }, /PROVIDERS_BY_SERVICE must look like/],
    [{ PROVIDERS_BY_SERVICE: 'test/sms=orange,orange' }, /PROVIDERS_BY_SERVICE must look like/],
    [{ SMS_PROVIDERS: 'pigeon' }, /SMS_PROVIDERS must be of orange, twilio/],
    [{ FCM_ENDPOINT: 'ftp://x' }, /FCM_ENDPOINT must be an http or https URL/],
  ])('do not start with %j', (variables, problem) => {
    expect(() => create(variables)).toThrow(InvalidSettings);
    expect(() => create(variables)).toThrow(problem);
    expect(() => create(variables)).not.toThrow(/secret-key/);
  });
});
