import type { SendResponse } from 'firebase-admin/messaging';
import type { Outcome } from '#domain/outcome';
import { isTlsFailure, isUnreachable } from '#egress/network-errors';
import {
  connectionLost,
  credentialsRefused,
  gaveUp,
  permanent,
  rateLimited,
  unavailable,
  unreachable,
  type GaveUp,
} from '../outcomes.js';
import { retryAfterMs } from '../retry-after.js';
import type { Trace } from './transport.js';

const FCM = 'fcm';

const refused = (status: string, error: { message: string }): Outcome =>
  // The message is FCM's, and the only thing that tells the two apart.
  /registration.token/i.test(error.message)
    ? permanent(FCM, 'recipient', 'invalid_token', 'FCM does not know such tokens', status)
    : permanent(FCM, 'content', 'content_refused', 'FCM refused the message', status);

/** By firebase-admin's codes. https://firebase.google.com/docs/cloud-messaging/error-codes */
const answered = (status: number, error: { code: string; message: string }, retryAfter: number | null): Outcome => {
  const text = String(status);
  switch (error.code.replace(/^messaging\//, '')) {
    case 'registration-token-not-registered':
      return {
        kind: 'recipient_gone',
        provider: FCM,
        code: 'token_unregistered',
        class: 'recipient',
        message: 'the app is no longer registered on that device',
        providerStatus: text,
      };
    case 'invalid-argument':
    case 'invalid-registration-token':
    case 'invalid-recipient':
    case 'invalid-payload':
    case 'invalid-package-name':
    case 'invalid-data-payload-key':
    case 'payload-size-limit-exceeded':
      return refused(text, error);
    case 'authentication-error':
    case 'third-party-auth-error':
    case 'mismatched-credential':
      return credentialsRefused(FCM, text);
    case 'message-rate-exceeded':
    case 'device-message-rate-exceeded':
    case 'topics-message-rate-exceeded':
      return rateLimited(FCM, text, retryAfter);
    default:
      return byStatus(status, retryAfter);
  }
};

/** For answers that are not FCM's own, such as those of a front end or a proxy. */
const byStatus = (status: number, retryAfter: number | null): Outcome => {
  const text = String(status);
  if (status === 401 || status === 403) return credentialsRefused(FCM, text);
  if (status === 429) return rateLimited(FCM, text, retryAfter);
  if (status >= 500) return unavailable(FCM, text, retryAfter);
  return permanent(FCM, 'provider', 'unexpected_answer', 'what answered does not seem to be FCM', text);
};

const neverConnected = (code: string): boolean => code === 'ETIMEDOUT' || isUnreachable(code) || isTlsFailure(code);

/**
 * What became of one message, from what firebase-admin says and from what was seen of its request.
 * @param response null where firebase-admin had not yet said anything when we gave up
 */
export const pushOutcome = (response: SendResponse | null, trace: Trace, why: GaveUp | null, now: Date): Outcome => {
  if (response?.success === true) {
    return { kind: 'sent', provider: FCM, providerMessageId: response.messageId ?? null, providerStatus: '200' };
  }
  const error = response?.error ?? { code: '', message: '' };
  if (trace.status !== null) {
    if (trace.status === 200) return connectionLost(FCM, true);
    return answered(trace.status, error, retryAfterMs(trace.retryAfter, now));
  }
  if (why !== null) return gaveUp(FCM, why, trace.written);
  if (!trace.written && trace.errorCode !== null && neverConnected(trace.errorCode)) return unreachable(FCM);
  // No request was made: there was no access token to make it with.
  if (error.code.startsWith('app/') && trace.errorCode === null && !trace.written) return credentialsRefused(FCM, null);
  return connectionLost(FCM, trace.written);
};
