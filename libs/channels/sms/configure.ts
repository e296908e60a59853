import { InvalidSettings } from '#config/settings';
import type { ProviderParts } from '#domain/providers';
import type { ChannelSender } from '#domain/sender';
import type { TokenStore } from '#domain/token-store';
import { plainHttp } from '#egress/guarded-http';
import type { HttpClient } from '#egress/http-client';
import { UnconfiguredSender } from '../unconfigured.js';
import { AccessTokens } from './orange/access-tokens.js';
import { OrangeSms } from './orange/orange.js';
import { FailoverSender } from '../providers/failover.js';
import type { Provider } from '../providers/provider.js';
import { ordersOf, type ProviderSettings } from '../providers/settings.js';
import type { SmsProviderName } from './provider.js';
import type { SmsSettings } from './settings.js';
import { TwilioSms } from './twilio/twilio.js';

type Made = (settings: SmsSettings, http: HttpClient, tokens: TokenStore) => Provider;

/** What a provider cannot do without. @throws InvalidSettings naming all that is missing */
const required = <K extends keyof SmsSettings>(
  settings: SmsSettings,
  provider: SmsProviderName,
  ...names: readonly K[]
): { [N in K]: NonNullable<SmsSettings[N]> } => {
  const missing = names.filter((name) => settings[name] === undefined);
  if (missing.length > 0)
    throw new InvalidSettings(missing.map((name) => `${name} is required: SMS_PROVIDERS names ${provider}`));
  return settings as { [N in K]: NonNullable<SmsSettings[N]> };
};

const orange: Made = (settings, http, store) => {
  const own = required(settings, 'orange', 'ORANGE_CLIENT_ID', 'ORANGE_CLIENT_SECRET', 'ORANGE_SENDER_ADDRESS');
  const shared = { baseUrl: settings.ORANGE_BASE_URL, http, timeoutMs: settings.SMS_TIMEOUT_MS };
  return new OrangeSms({
    ...shared,
    senderAddress: own.ORANGE_SENDER_ADDRESS,
    senderName: settings.ORANGE_SENDER_NAME ?? null,
    tokens: new AccessTokens({
      ...shared,
      clientId: own.ORANGE_CLIENT_ID,
      clientSecret: own.ORANGE_CLIENT_SECRET,
      store,
    }),
  });
};

const twilio: Made = (settings, http) => {
  const own = required(settings, 'twilio', 'TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_FROM');
  return new TwilioSms({
    baseUrl: settings.TWILIO_BASE_URL,
    accountSid: own.TWILIO_ACCOUNT_SID,
    authToken: own.TWILIO_AUTH_TOKEN,
    from: own.TWILIO_FROM,
    receiptsBaseUrl: settings.SMS_RECEIPTS_URL ?? null,
    http,
    timeoutMs: settings.SMS_TIMEOUT_MS,
  });
};

const MAKE: Readonly<Record<SmsProviderName, Made>> = { orange, twilio };

/** @throws InvalidSettings naming what the providers that are named lack */
export const configureSms = (
  settings: SmsSettings & ProviderSettings,
  tokens: TokenStore,
  parts: ProviderParts,
): ChannelSender => {
  if (settings.SMS_PROVIDERS === undefined) return new UnconfiguredSender('sms');
  // The operators' own addresses: not guarded, for they chose them.
  const http = plainHttp({
    connectTimeoutMs: settings.SMS_CONNECT_TIMEOUT_MS,
    connectionsPerOrigin: settings.SMS_CONNECTIONS,
  });
  const problems: string[] = [];
  const made = settings.SMS_PROVIDERS.flatMap((name) => {
    try {
      return [MAKE[name](settings, http, tokens)];
    } catch (error) {
      if (!(error instanceof InvalidSettings)) throw error;
      problems.push(...error.problems);
      return [];
    }
  });
  const { orders, problems: wrong } = ordersOf(settings.PROVIDERS_BY_SERVICE, 'sms', settings.SMS_PROVIDERS);
  problems.push(...wrong);
  const [first, ...others] = made;
  if (problems.length > 0 || first === undefined) throw new InvalidSettings(problems);
  return new FailoverSender({
    channel: 'sms',
    providers: [first, ...others],
    orders,
    concurrency: settings.SMS_CONCURRENCY,
    timeoutMs: settings.SMS_TIMEOUT_MS,
    halfOpenMs: settings.PROVIDER_HALF_OPEN_MS,
    parts,
    close: () => http.close(),
  });
};
