import { describe, expect, it } from '@jest/globals';
import type { SendResponse } from 'firebase-admin/messaging';
import { pushOutcome } from './outcome.js';
import type { Trace } from './transport.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const trace = (over: Partial<Trace> = {}): Trace => ({
  written: false,
  status: null,
  retryAfter: undefined,
  errorCode: null,
  ...over,
});
const failed = (code: string, message = 'token-of-somebody'): SendResponse =>
  ({ success: false, error: { code, message } }) as unknown as SendResponse;

describe('what became of a push', () => {
  it('is sent with the id that FCM gave it', () => {
    expect(
      pushOutcome({ success: true, messageId: 'projects/p/messages/1' }, trace({ status: 200 }), null, now),
    ).toEqual({
      kind: 'sent',
      provider: 'fcm',
      providerMessageId: 'projects/p/messages/1',
      providerStatus: '200',
    });
    expect(pushOutcome({ success: true }, trace({ status: 200 }), null, now)).toMatchObject({
      providerMessageId: null,
    });
  });

  it.each([
    ['messaging/registration-token-not-registered', 404, 'recipient_gone', 'token_unregistered'],
    ['messaging/invalid-argument', 400, 'permanent', 'content_refused'],
    ['messaging/payload-size-limit-exceeded', 400, 'permanent', 'content_refused'],
    ['messaging/mismatched-credential', 403, 'credentials', 'credentials_refused'],
    ['messaging/authentication-error', 401, 'credentials', 'credentials_refused'],
    ['messaging/third-party-auth-error', 401, 'credentials', 'credentials_refused'],
    ['messaging/message-rate-exceeded', 429, 'rate_limited', 'rate_limited'],
    ['messaging/device-message-rate-exceeded', 429, 'rate_limited', 'rate_limited'],
    ['messaging/server-unavailable', 503, 'transient', 'provider_unavailable'],
    ['messaging/internal-error', 500, 'transient', 'provider_unavailable'],
    ['messaging/unknown-error', 504, 'transient', 'provider_unavailable'],
    ['messaging/unknown-error', 429, 'rate_limited', 'rate_limited'],
    ['messaging/unknown-error', 401, 'credentials', 'credentials_refused'],
    ['messaging/unknown-error', 404, 'permanent', 'unexpected_answer'],
    ['messaging/unknown-error', 302, 'permanent', 'unexpected_answer'],
  ])('%s (%i) is %s', (code, status, kind, ours) => {
    const outcome = pushOutcome(failed(code), trace({ written: true, status }), null, now);
    expect(outcome).toMatchObject({ kind, code: ours, provider: 'fcm', providerStatus: String(status) });
    expect(JSON.stringify(outcome)).not.toContain('token-of-somebody');
  });

  it('tells a token that is none from a message that is refused', () => {
    const response = failed(
      'messaging/invalid-argument',
      'The registration token is not a valid FCM registration token',
    );
    expect(pushOutcome(response, trace({ written: true, status: 400 }), null, now)).toMatchObject({
      kind: 'permanent',
      code: 'invalid_token',
      class: 'recipient',
    });
  });

  it.each([
    [{ errorCode: 'ECONNREFUSED' }, 'provider_down', 'provider_unreachable'],
    [{ errorCode: 'ENOTFOUND' }, 'provider_down', 'provider_unreachable'],
    [{ errorCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'provider_down', 'provider_unreachable'],
    [{ errorCode: 'ECONNRESET' }, 'transient', 'connection_lost'],
    [{ errorCode: 'ECONNRESET', written: true }, 'uncertain', 'connection_lost'],
    // 200, but nothing that could be read behind it.
    [{ status: 200, written: true }, 'uncertain', 'connection_lost'],
  ])('without an answer, %j is %s', (over, kind, code) => {
    expect(pushOutcome(failed('app/network-error'), trace(over), null, now)).toMatchObject({ kind, code });
  });

  it('is a matter of credentials when there is no access token to send with', () => {
    expect(pushOutcome(failed('app/invalid-credential'), trace(), null, now)).toMatchObject({
      kind: 'credentials',
      providerStatus: null,
    });
  });

  it.each([
    ['timeout', false, 'transient', 'timeout'],
    ['timeout', true, 'uncertain', 'no_answer'],
    ['lease_ended', false, 'transient', 'lease_ended'],
    ['lease_ended', true, 'uncertain', 'no_answer'],
  ] as const)('given up for %s, written: %s, is %s', (why, written, kind, code) => {
    expect(pushOutcome(null, trace({ written, errorCode: 'FCM_GIVEN_UP' }), why, now)).toMatchObject({ kind, code });
  });
});
