import { readFileSync } from 'node:fs';
import { cert, type Credential, type ServiceAccount } from 'firebase-admin/app';
import { InvalidSettings } from '#config/settings';
import type { ChannelSender } from '#domain/sender';
import { UnconfiguredSender } from '../unconfigured.js';
import { PushSender } from './sender.js';
import type { PushSettings } from './settings.js';

/** Never expires as far as firebase-admin is concerned. */
const fixedToken = (accessToken: string): Credential => ({
  getAccessToken: () => Promise.resolve({ access_token: accessToken, expires_in: 3600 }),
});

const serviceAccount = (variable: string, json: () => string): Credential => {
  try {
    return cert(JSON.parse(json()) as ServiceAccount);
  } catch {
    // The reason may quote the key.
    throw new InvalidSettings([`${variable} must hold, or name, a service account key as JSON`]);
  }
};

const credentialOf = (settings: PushSettings): Credential => {
  const { FCM_CREDENTIALS_FILE: file, FCM_CREDENTIALS_JSON: json, FCM_ACCESS_TOKEN: token } = settings;
  if ([file, json, token].filter((value) => value !== undefined).length > 1) {
    throw new InvalidSettings([
      'FCM_CREDENTIALS_FILE, FCM_CREDENTIALS_JSON and FCM_ACCESS_TOKEN: only one of them may be set',
    ]);
  }
  if (file !== undefined) return serviceAccount('FCM_CREDENTIALS_FILE', () => readFileSync(file, 'utf8'));
  if (json !== undefined) return serviceAccount('FCM_CREDENTIALS_JSON', () => json);
  if (token !== undefined) return fixedToken(token);
  throw new InvalidSettings([
    'FCM_CREDENTIALS_FILE, FCM_CREDENTIALS_JSON or FCM_ACCESS_TOKEN is required with FCM_PROJECT_ID',
  ]);
};

/** @throws InvalidSettings if what is set does not fit together */
export const configurePush = (settings: PushSettings): ChannelSender =>
  settings.FCM_PROJECT_ID === undefined
    ? new UnconfiguredSender('push')
    : new PushSender({
        projectId: settings.FCM_PROJECT_ID,
        credential: credentialOf(settings),
        endpoint: new URL(settings.FCM_ENDPOINT),
        sockets: settings.FCM_SOCKETS,
        concurrency: settings.FCM_BATCHES,
        timeoutMs: settings.FCM_TIMEOUT_MS,
      });
