import { z } from 'zod';
import { EgressSettings } from '#egress/settings';
import { EmailSettings } from './email/settings.js';
import { InAppSettings } from './in-app/settings.js';
import { ProviderSettings } from './providers/settings.js';
import { PushSettings } from './push/settings.js';
import { SlackSettings } from './slack/settings.js';
import { SmsSettings } from './sms/settings.js';
import { WebhookSettings } from './webhook/settings.js';

/** Of all channels, with what they need to get out. */
export const ChannelSettings = z.object({
  ...PushSettings.shape,
  ...EmailSettings.shape,
  ...SmsSettings.shape,
  ...WebhookSettings.shape,
  ...SlackSettings.shape,
  ...InAppSettings.shape,
  ...ProviderSettings.shape,
  ...EgressSettings.shape,
});
export type ChannelSettings = z.output<typeof ChannelSettings>;
