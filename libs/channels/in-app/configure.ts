import type { ChannelSender } from '#domain/sender';
import type { InboxDeposits } from '#inbox/ports';
import { InAppSender } from './sender.js';
import type { InAppSettings } from './settings.js';

export const configureInApp = (settings: InAppSettings, inbox: InboxDeposits): ChannelSender =>
  new InAppSender({ inbox, retentionDays: settings.INBOX_RETENTION_DAYS });
