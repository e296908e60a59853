import type { Outcome } from '#domain/outcome';
import type { SendRequest } from '#domain/sender';
import type { HttpClient } from '#egress/http-client';
import type { Deadline } from '../../deadline.js';
import { unanswered } from '../../outcomes.js';
import { MAX_ANSWER_BYTES } from '../answer.js';
import { isOutage } from '../../providers/outage.js';
import type { Provider } from '../../providers/provider.js';
import { receiptUrl } from './receipt.js';
import { TWILIO, twilioOutcome } from './outcome.js';

export interface TwilioOptions {
  /** Without a slash at the end. */
  baseUrl: string;
  accountSid: string;
  authToken: string;
  /** A number in E.164, or a sender name. */
  from: string;
  /** Where notification-api is seen from outside, for receipts; null for none. */
  receiptsBaseUrl: string | null;
  http: HttpClient;
  timeoutMs: number;
}

/**
 * Twilio's Messages API. It cannot tell a repetition: one that follows a lost answer may reach the phone twice.
 * https://www.twilio.com/docs/messaging/api/message-resource
 */
export class TwilioSms implements Provider {
  readonly name = TWILIO;
  readonly isOutage = isOutage;
  private readonly url: URL;
  private readonly authorization: string;

  constructor(private readonly options: TwilioOptions) {
    const { baseUrl, accountSid, authToken } = options;
    this.url = new URL(`${baseUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`);
    this.authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
  }

  async send(request: SendRequest, deadline: Deadline): Promise<Outcome> {
    const result = await this.options.http.post(this.url, {
      headers: {
        authorization: this.authorization,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: this.bodyOf(request),
      timeoutMs: this.options.timeoutMs,
      signal: deadline.signal,
      keepBytes: MAX_ANSWER_BYTES,
    });
    return result.kind === 'answered'
      ? twilioOutcome(result, new Date())
      : unanswered(TWILIO, result, deadline.reached);
  }

  private bodyOf({ target, body, serviceName, deliveryId }: SendRequest): string {
    const { from, receiptsBaseUrl } = this.options;
    const form = new URLSearchParams({ To: target, From: from, Body: body });
    if (receiptsBaseUrl !== null) form.set('StatusCallback', receiptUrl(receiptsBaseUrl, { serviceName, deliveryId }));
    return form.toString();
  }
}
