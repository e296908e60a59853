import type { Outcome } from '#domain/outcome';
import { credentialsRefused, rateLimited, unavailable } from '../../outcomes.js';
import { retryAfterMs } from '../../retry-after.js';
import { contentRefused, jsonObject, numberRefused, textAt, unexpected } from '../answer.js';
import type { HttpAnswer } from '#egress/http-client';

export const ORANGE = 'orange';

/** `No valid addresses provided`. https://developer.orange.com/apis/sms/api-reference */
const NO_VALID_ADDRESS = 'SVC0004';

/** The last part of the `resourceURL`, which receipts name in `callbackData`. */
const resourceId = (body: string): string | null =>
  textAt(jsonObject(body), 'outboundSMSMessageRequest', 'resourceURL')?.split('/').at(-1) ?? null;

const refused = (body: string, status: string): Outcome => {
  const code = textAt(jsonObject(body), 'requestError', 'serviceException', 'messageId');
  return code === NO_VALID_ADDRESS ? numberRefused(ORANGE, status) : contentRefused(ORANGE, status);
};

/**
 * What an answer to `POST /smsmessaging/v1/outbound/.../requests` means: 201 and a resource, or a `requestError` with a
 * code of OneAPI, or what Orange's front end says of tokens, rights and rates.
 */
export const orangeOutcome = ({ status, headers, body }: HttpAnswer, now: Date): Outcome => {
  const text = String(status);
  const retryAfter = retryAfterMs(headers['retry-after'], now);
  if (status === 200 || status === 201)
    return { kind: 'sent', provider: ORANGE, providerMessageId: resourceId(body), providerStatus: text };
  // 403 is also what an empty or expired bundle is answered by.
  if (status === 401 || status === 403) return credentialsRefused(ORANGE, text);
  if (status === 429) return rateLimited(ORANGE, text, retryAfter);
  if (status >= 500 || status === 408) return unavailable(ORANGE, text, retryAfter);
  return status === 400 ? refused(body, text) : unexpected(ORANGE, text);
};
