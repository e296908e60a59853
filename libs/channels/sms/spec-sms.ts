import { parseSettings } from '#config/settings';
import type { ChannelSender } from '#domain/sender';
import type { TokenStore } from '#domain/token-store';
import { MemoryTokenStore } from '#testing/memory-tokens';
import { openProviders } from '#testing/open-providers';
import type { ProviderParts } from '#domain/providers';
import { ProviderSettings } from '../providers/settings.js';
import { configureSms } from './configure.js';
import { SmsSettings } from './settings.js';

export const ACCOUNT = `AC${'0'.repeat(32)}`;

/** The real sender over the sandbox, which plays both providers. */
export const smsSender = (
  httpUrl: string,
  variables: Record<string, string>,
  tokens: TokenStore = new MemoryTokenStore(),
  parts: ProviderParts = openProviders(),
): ChannelSender =>
  configureSms(
    parseSettings(SmsSettings.extend(ProviderSettings.shape), {
      ORANGE_BASE_URL: httpUrl,
      ORANGE_CLIENT_ID: 'client',
      ORANGE_CLIENT_SECRET: 'client-secret',
      ORANGE_SENDER_ADDRESS: '+2250000',
      TWILIO_BASE_URL: httpUrl,
      TWILIO_ACCOUNT_SID: ACCOUNT,
      TWILIO_AUTH_TOKEN: 'auth-token',
      TWILIO_FROM: '+15005550006',
      SMS_RECEIPTS_URL: 'https://notify.example.org',
      ...variables,
    }),
    tokens,
    parts,
  );

/** Numbers have no letters: two digits for each. */
export const inDigits = (name: string): string =>
  [...name].map((character) => String(character.charCodeAt(0) % 100).padStart(2, '0')).join('');

/** In the form of a number of North America, which may be short or long here. */
export const numberOf = (name: string): string => `+1${inDigits(name).padEnd(10, '9')}`;
