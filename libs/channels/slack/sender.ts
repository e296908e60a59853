import { LogLevel, WebClient, type Logger } from '@slack/web-api';
import { IncomingWebhook } from '@slack/webhook';
import { webhookName } from '#domain/channels/slack';
import type { Outcome } from '#domain/outcome';
import type { SendRequest } from '#domain/sender';
import type { HttpClient } from '#egress/http-client';
import { type OneByOneOptions, OneByOneSender } from '../one-by-one.js';
import { credentialsMissing, permanent } from '../outcomes.js';
import { slackMessage } from './message.js';
import { slackOutcome } from './outcome.js';
import { botTokenOf, webhookUrlOf, type BotTokens, type Webhooks } from './secrets.js';
import { SlackTransport } from './transport.js';

export interface SlackOptions extends OneByOneOptions {
  tokens: BotTokens;
  webhooks: Webhooks;
  /** Of the Web API; methods are appended to it. */
  apiUrl: string;
  http: HttpClient;
}

/** The library would write what it sends and gets to the console. */
const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  getLevel: () => LogLevel.ERROR,
  setName: () => undefined,
};

/** Whether and when to repeat is decided elsewhere. */
const NO_RETRIES = { retries: 0 };

/** Slack's word in an error of either library; empty where it has none. */
const wordOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null) return '';
  if ('body' in error && typeof error.body === 'string') return error.body.trim();
  const answer = 'data' in error ? error.data : 'body' in error ? error.body : null;
  return typeof answer === 'object' && answer !== null && 'error' in answer && typeof answer.error === 'string'
    ? answer.error
    : '';
};

/** Posts as the service's bot (chat.postMessage), or to one of its incoming webhooks. */
export class SlackSender extends OneByOneSender {
  readonly channel = 'slack';
  private readonly transport: SlackTransport;
  private readonly bots = new Map<string, WebClient>();

  constructor(private readonly options: SlackOptions) {
    super(options);
    this.transport = new SlackTransport(options.http, options.timeoutMs);
  }

  protected sendOne(request: SendRequest, signal: AbortSignal): Promise<Outcome> {
    const webhook = webhookName(request.target);
    return webhook === null ? this.post(request, signal) : this.callWebhook(webhook, request, signal);
  }

  private async post(request: SendRequest, signal: AbortSignal): Promise<Outcome> {
    const token = botTokenOf(this.options.tokens, request.serviceName);
    if (token === null) return noToken();
    const message = { channel: request.target, ...slackMessage(request), unfurl_links: false, unfurl_media: false };
    const { result, value, error } = await this.transport.follow(signal, () =>
      this.bot(token).chat.postMessage(message),
    );
    const word = value === null ? wordOf(error) : null;
    return slackOutcome(result, { word, messageId: value?.ts ?? null }, new Date());
  }

  private async callWebhook(name: string, request: SendRequest, signal: AbortSignal): Promise<Outcome> {
    const url = webhookUrlOf(this.options.webhooks, request.serviceName, name);
    if (url === null) return noWebhook();
    const webhook = new IncomingWebhook(url, { fetch: this.transport.fetch, retryConfig: NO_RETRIES });
    const { result, value, error } = await this.transport.follow(signal, () => webhook.send(slackMessage(request)));
    return slackOutcome(result, { word: value === null ? wordOf(error) : null, messageId: null }, new Date());
  }

  private bot(token: string): WebClient {
    let bot = this.bots.get(token);
    if (bot === undefined) {
      bot = new WebClient(token, {
        slackApiUrl: this.options.apiUrl,
        fetch: this.transport.fetch,
        retryConfig: NO_RETRIES,
        rejectRateLimitedCalls: true,
        // A message that waited in the library's queue would be taken for another one's.
        maxRequestConcurrency: Infinity,
        logger: SILENT,
      });
      this.bots.set(token, bot);
    }
    return bot;
  }
}

const noToken = (): Outcome =>
  credentialsMissing('slack', 'no_bot_token', 'this service has no bot token to post to Slack with');

/** A name that nobody configured is more likely a slip of the caller than of the operator. */
const noWebhook = (): Outcome =>
  permanent('slack', 'recipient', 'unknown_webhook', 'this service has no Slack webhook of that name');
