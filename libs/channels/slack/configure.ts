import type { ChannelSender } from '#domain/sender';
import { plainHttp } from '#egress/guarded-http';
import { UnconfiguredSender } from '../unconfigured.js';
import { SlackSender } from './sender.js';
import type { SlackSettings } from './settings.js';

export const configureSlack = (settings: SlackSettings): ChannelSender =>
  settings.SLACK_TOKENS === undefined && settings.SLACK_WEBHOOKS === undefined
    ? new UnconfiguredSender('slack')
    : new SlackSender({
        tokens: settings.SLACK_TOKENS ?? new Map(),
        webhooks: settings.SLACK_WEBHOOKS ?? new Map(),
        apiUrl: settings.SLACK_API_URL,
        http: plainHttp({
          connectTimeoutMs: settings.SLACK_CONNECT_TIMEOUT_MS,
          connectionsPerOrigin: settings.SLACK_CONNECTIONS,
        }),
        concurrency: settings.SLACK_CONNECTIONS,
        timeoutMs: settings.SLACK_TIMEOUT_MS,
      });
