import { InvalidSettings } from '#config/settings';
import type { Channel } from '#contracts/vocabulary';
import type { Outcome } from '#domain/outcome';
import type { ChannelSender } from '#domain/sender';
import type { TokenStore } from '#domain/token-store';
import type { ProviderFigures, ProviderParts } from '#domain/providers';
import type { InboxDeposits } from '#inbox/ports';
import { configureEmail } from './email/configure.js';
import { configureInApp } from './in-app/configure.js';
import { configurePush } from './push/configure.js';
import { FailoverSender } from './providers/failover.js';
import { GatedSender } from './providers/gated.js';
import { isOutage, isOutageForAll, neverOutage } from './providers/outage.js';
import type { ChannelSettings } from './settings.js';
import { configureSlack } from './slack/configure.js';
import { configureSms } from './sms/configure.js';
import { UnconfiguredSender } from './unconfigured.js';
import { configureWebhook } from './webhook/configure.js';

/** Who sends for each channel. */
export type Senders = Readonly<Record<Channel, ChannelSender>>;

/** What senders need beside their settings. */
export interface SenderParts {
  /** Where those tokens are that all processes share. */
  tokens: TokenStore;
  inbox: InboxDeposits;
  providers: ProviderParts;
}

const gated = (
  sender: ChannelSender,
  name: string,
  speaksAgainst: (outcome: Outcome) => boolean,
  { PROVIDER_HALF_OPEN_MS: halfOpenMs }: ChannelSettings,
  { providers: parts }: SenderParts,
): ChannelSender =>
  sender instanceof UnconfiguredSender
    ? sender
    : new GatedSender({ sender, name, isOutage: speaksAgainst, halfOpenMs, parts });

const CONFIGURE: Readonly<Record<Channel, (settings: ChannelSettings, parts: SenderParts) => ChannelSender>> = {
  push: (settings, parts) => gated(configurePush(settings), 'fcm', isOutage, settings, parts),
  email: (settings, { providers }) => configureEmail(settings, providers),
  sms: (settings, { tokens, providers }) => configureSms(settings, tokens, providers),
  webhook: (settings, parts) => gated(configureWebhook(settings), 'webhook', neverOutage, settings, parts),
  slack: (settings, parts) => gated(configureSlack(settings), 'slack', isOutageForAll, settings, parts),
  'in-app': (settings, parts) => gated(configureInApp(settings, parts.inbox), 'in-app', neverOutage, settings, parts),
};

/** Each provider of each channel, as this process sees it. */
export const figuresOf = (senders: Senders): ProviderFigures[] =>
  Object.values(senders).flatMap((sender) =>
    sender instanceof FailoverSender || sender instanceof GatedSender ? sender.figures() : [],
  );

/**
 * Makes every channel's sender; one without settings becomes a stand-in whose deliveries fail as `not_configured`.
 * @throws InvalidSettings naming, over all channels, what does not fit together; files that are named are read here
 */
export const createSenders = (settings: ChannelSettings, parts: SenderParts): Senders => {
  const problems: string[] = [];
  const made = Object.entries(CONFIGURE).map(([channel, configure]) => {
    try {
      return [channel, configure(settings, parts)] as const;
    } catch (error) {
      if (!(error instanceof InvalidSettings)) throw error;
      problems.push(...error.problems);
      return [channel, null] as const;
    }
  });
  if (problems.length > 0) throw new InvalidSettings(problems);
  return Object.fromEntries(made) as unknown as Senders;
};

/** Ends every connection; what is still on its way is cut. */
export const closeSenders = async (senders: Senders): Promise<void> => {
  await Promise.all(Object.values(senders).map((sender) => sender.close()));
};
