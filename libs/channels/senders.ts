import { InvalidSettings } from '#config/settings';
import type { Channel } from '#contracts/vocabulary';
import type { ChannelSender } from '#domain/sender';
import type { TokenStore } from '#domain/token-store';
import type { InboxDeposits } from '#inbox/ports';
import { configureEmail } from './email/configure.js';
import { configureInApp } from './in-app/configure.js';
import { configurePush } from './push/configure.js';
import type { ChannelSettings } from './settings.js';
import { configureSlack } from './slack/configure.js';
import { configureSms } from './sms/configure.js';
import { configureWebhook } from './webhook/configure.js';

/** Who sends for each channel. */
export type Senders = Readonly<Record<Channel, ChannelSender>>;

/** What senders need beside their settings. */
export interface SenderParts {
  /** Where those tokens are that all processes share. */
  tokens: TokenStore;
  inbox: InboxDeposits;
}

const CONFIGURE: Readonly<Record<Channel, (settings: ChannelSettings, parts: SenderParts) => ChannelSender>> = {
  push: configurePush,
  email: configureEmail,
  sms: (settings, { tokens }) => configureSms(settings, tokens),
  webhook: configureWebhook,
  slack: configureSlack,
  'in-app': (settings, { inbox }) => configureInApp(settings, inbox),
};

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
