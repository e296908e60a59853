import type { ChannelSender } from '#domain/sender';
import { GuardedHttp } from '#egress/guarded-http';
import type { EgressSettings } from '#egress/settings';
import { UnconfiguredSender } from '../unconfigured.js';
import { WebhookSender } from './sender.js';
import type { WebhookSettings } from './settings.js';

export const configureWebhook = (settings: WebhookSettings & EgressSettings): ChannelSender =>
  settings.WEBHOOK_SECRETS === undefined
    ? new UnconfiguredSender('webhook')
    : new WebhookSender({
        keys: settings.WEBHOOK_SECRETS,
        http: new GuardedHttp(settings.EGRESS_ALLOW, {
          connectTimeoutMs: settings.WEBHOOK_CONNECT_TIMEOUT_MS,
          connectionsPerOrigin: settings.WEBHOOK_CONNECTIONS_PER_ORIGIN,
        }),
        concurrency: settings.WEBHOOK_CONCURRENCY,
        timeoutMs: settings.WEBHOOK_TIMEOUT_MS,
      });
