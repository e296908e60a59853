import type { Outcome } from '#domain/outcome';
import type { SendRequest } from '#domain/sender';
import type { GuardedHttp } from '#egress/guarded-http';
import { type OneByOneOptions, OneByOneSender } from '../one-by-one.js';
import { credentialsMissing, permanent } from '../outcomes.js';
import { webhookOutcome } from './outcome.js';
import { keysOf, type SigningKeys } from './secrets.js';
import { sign } from './signature.js';

export interface WebhookOptions extends OneByOneOptions {
  keys: SigningKeys;
  http: GuardedHttp;
}

/** The same at every attempt. */
const bodyOf = (request: SendRequest): string =>
  JSON.stringify({
    type: `notification.${request.type}`,
    timestamp: request.createdAt.toISOString(),
    data: {
      notificationId: request.notificationId,
      serviceName: request.serviceName,
      userId: request.userId,
      reference: request.reference,
      title: request.title,
      body: request.body,
      data: request.data,
    },
  });

/** A POST signed by Standard Webhooks to the recipient's own URL. */
export class WebhookSender extends OneByOneSender {
  readonly channel = 'webhook';

  constructor(private readonly options: WebhookOptions) {
    super(options);
  }

  protected async sendOne(request: SendRequest, signal: AbortSignal): Promise<Outcome> {
    const url = URL.parse(request.target);
    if (url === null) return permanent('webhook', 'recipient', 'invalid_url', 'the target is no URL');
    const keys = keysOf(this.options.keys, request.serviceName);
    if (keys.length === 0) return noSecret();
    const body = bodyOf(request);
    const timestamp = String(Math.floor(Date.now() / 1000));
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'user-agent': 'Carillon',
      'webhook-id': request.deliveryId,
      'webhook-timestamp': timestamp,
      'webhook-signature': sign(keys, request.deliveryId, timestamp, body),
    };
    if (request.traceparent !== null) headers['traceparent'] = request.traceparent;
    const client = this.options.http.forService(request.serviceName);
    const result = await client.post(url, { headers, body, timeoutMs: this.timeoutMs, signal });
    return webhookOutcome(result, new Date());
  }
}

/** An unsigned webhook is one that anybody could have sent. */
const noSecret = (): Outcome =>
  credentialsMissing('webhook', 'no_signing_secret', 'this service has no secret to sign webhooks with');
