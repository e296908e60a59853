import type { Outcome } from '#domain/outcome';
import type { SendRequest } from '#domain/sender';
import type { HttpClient, HttpResult } from '#egress/http-client';
import type { Deadline } from '../../deadline.js';
import { unanswered } from '../../outcomes.js';
import { MAX_ANSWER_BYTES } from '../answer.js';
import { isOutage } from '../../providers/outage.js';
import type { Provider } from '../../providers/provider.js';
import type { AccessTokens } from './access-tokens.js';
import { ORANGE, orangeOutcome } from './outcome.js';

export interface OrangeOptions {
  /** Without a slash at the end. */
  baseUrl: string;
  /** E.164: the number that the contract is for. */
  senderAddress: string;
  /** What phones show instead, as agreed with Orange; null for the country's default. */
  senderName: string | null;
  http: HttpClient;
  tokens: AccessTokens;
  timeoutMs: number;
}

/** Orange SMS API, Middle East and Africa, a dialect of OneAPI. https://developer.orange.com/apis/sms/getting-started */
export class OrangeSms implements Provider {
  readonly name = ORANGE;
  readonly isOutage = isOutage;
  private readonly url: URL;

  constructor(private readonly options: OrangeOptions) {
    const sender = encodeURIComponent(`tel:${options.senderAddress}`);
    this.url = new URL(`${options.baseUrl}/smsmessaging/v1/outbound/${sender}/requests`);
  }

  /** A token that Orange does not take any more is replaced, and the request repeated once: it was not looked at. */
  async send(request: SendRequest, deadline: Deadline): Promise<Outcome> {
    const first = await this.attempt(request, deadline);
    if ('outcome' in first) return first.outcome;
    if (!isRefusedToken(first.result)) return this.outcomeOf(first.result, deadline);
    await this.options.tokens.reject(first.token);
    const second = await this.attempt(request, deadline);
    return 'outcome' in second ? second.outcome : this.outcomeOf(second.result, deadline);
  }

  private async attempt(
    request: SendRequest,
    deadline: Deadline,
  ): Promise<{ token: string; result: HttpResult } | { outcome: Outcome }> {
    const got = await this.options.tokens.get(deadline);
    if ('outcome' in got) return got;
    const result = await this.options.http.post(this.url, {
      headers: {
        authorization: `Bearer ${got.token}`,
        'content-type': 'application/json',
        accept: 'application/json',
      },
      body: this.bodyOf(request),
      timeoutMs: this.options.timeoutMs,
      signal: deadline.signal,
      keepBytes: MAX_ANSWER_BYTES,
    });
    return { token: got.token, result };
  }

  private outcomeOf(result: HttpResult, deadline: Deadline): Outcome {
    return result.kind === 'answered'
      ? orangeOutcome(result, new Date())
      : unanswered(ORANGE, result, deadline.reached);
  }

  /** The same at every attempt. OneAPI tells repetitions by `clientCorrelator`, and sends once. */
  private bodyOf({ target, body, deliveryId }: SendRequest): string {
    const { senderAddress, senderName } = this.options;
    return JSON.stringify({
      outboundSMSMessageRequest: {
        address: `tel:${target}`,
        senderAddress: `tel:${senderAddress}`,
        ...(senderName === null ? {} : { senderName }),
        outboundSMSTextMessage: { message: body },
        clientCorrelator: deliveryId,
      },
    });
  }
}

const isRefusedToken = (result: HttpResult): boolean => result.kind === 'answered' && result.status === 401;
