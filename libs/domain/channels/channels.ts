import type { Channel } from '#contracts/vocabulary';
import { emailRules } from './email.js';
import { inAppRules } from './in-app.js';
import { pushRules } from './push.js';
import type { ChannelRules } from './rules.js';
import { slackRules } from './slack.js';
import { smsRules } from './sms.js';
import { webhookRules } from './webhook.js';

/** Every channel's rules. */
export const CHANNEL_RULES: Readonly<Record<Channel, ChannelRules>> = {
  push: pushRules,
  email: emailRules,
  sms: smsRules,
  webhook: webhookRules,
  slack: slackRules,
  'in-app': inAppRules,
};
