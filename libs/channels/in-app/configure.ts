import type { ChannelSender } from '#domain/sender';
import type { InboxDeposits } from '#inbox/ports';
import { UnconfiguredSender } from '../unconfigured.js';
import { InAppSender } from './sender.js';
import type { InAppSettings } from './settings.js';

export interface InAppPorts {
  inbox?: InboxDeposits;
}

export const configureInApp = (settings: InAppSettings, { inbox }: InAppPorts): ChannelSender =>
  inbox === undefined
    ? new UnconfiguredSender('in-app')
    : new InAppSender({ inbox, retentionDays: settings.INBOX_RETENTION_DAYS });
