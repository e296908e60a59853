import { describe, expect, it } from '@jest/globals';
import { emailFailure } from './outcome.js';

describe('what became of an e-mail', () => {
  it.each([
    [421, 'MAIL FROM', 'transient', 'provider_unavailable', 'provider'],
    [450, 'RCPT TO', 'transient', 'provider_unavailable', 'provider'],
    [451, 'DATA', 'transient', 'provider_unavailable', 'provider'],
    [452, 'DATA', 'transient', 'provider_unavailable', 'provider'],
    [454, 'AUTH PLAIN', 'transient', 'provider_unavailable', 'provider'],
    [530, 'MAIL FROM', 'credentials', 'credentials_refused', 'credentials'],
    [535, 'AUTH PLAIN', 'credentials', 'credentials_refused', 'credentials'],
    [550, 'AUTH LOGIN', 'credentials', 'credentials_refused', 'credentials'],
    [554, 'CONN', 'provider_down', 'provider_unreachable', 'provider'],
    [550, 'MAIL FROM', 'permanent', 'sender_refused', 'provider'],
    [553, 'MAIL FROM', 'permanent', 'sender_refused', 'provider'],
    [550, 'RCPT TO', 'permanent', 'recipient_refused', 'recipient'],
    [551, 'RCPT TO', 'permanent', 'recipient_refused', 'recipient'],
    [553, 'RCPT TO', 'permanent', 'recipient_refused', 'recipient'],
    [554, 'RCPT TO', 'permanent', 'recipient_refused', 'recipient'],
    [550, 'DATA', 'permanent', 'recipient_refused', 'recipient'],
    [552, 'DATA', 'permanent', 'content_refused', 'content'],
    [554, 'DATA', 'permanent', 'content_refused', 'content'],
    [500, 'DATA', 'permanent', 'unexpected_answer', 'provider'],
  ] as const)('a reply of %i to %s is %s', (responseCode, command, kind, code, errorClass) => {
    expect(emailFailure('smtp', { responseCode, command, code: 'EENVELOPE' }, true, 'timeout')).toMatchObject({
      kind,
      code,
      class: errorClass,
    });
  });

  it.each([
    [{ code: 'EDNS' }, 'provider_down', 'provider_unreachable'],
    [{ code: 'ETLS' }, 'provider_down', 'provider_unreachable'],
    [{ code: 'ESOCKET', originalCode: 'ECONNREFUSED' }, 'provider_down', 'provider_unreachable'],
    [{ code: 'ETIMEDOUT', timeoutType: 'GREETING_TIMEOUT' }, 'provider_down', 'provider_unreachable'],
    [{ code: 'ETIMEDOUT', timeoutType: 'SOCKET_TIMEOUT' }, 'transient', 'connection_lost'],
    [{ code: 'ECONNECTION' }, 'transient', 'connection_lost'],
    [{ code: 'EAUTH' }, 'credentials', 'credentials_refused'],
    [{ code: 'EENVELOPE' }, 'permanent', 'recipient_refused'],
    [{ code: 'EMESSAGE' }, 'permanent', 'content_refused'],
    [{}, 'transient', 'connection_lost'],
  ] as const)('without a reply, %j is %s', (error, kind, code) => {
    expect(emailFailure('smtp', error, false, null)).toMatchObject({ kind, code, providerStatus: null });
  });

  it('is uncertain once the message was begun', () => {
    expect(emailFailure('smtp', { code: 'ECONNECTION' }, true, null)).toMatchObject({
      kind: 'uncertain',
      code: 'connection_lost',
    });
    expect(emailFailure('smtp', { code: 'EABORT' }, true, 'lease_ended')).toMatchObject({
      kind: 'uncertain',
      code: 'no_answer',
    });
    expect(emailFailure('smtp', { code: 'EABORT' }, false, 'lease_ended')).toMatchObject({
      kind: 'transient',
      code: 'lease_ended',
    });
    expect(emailFailure('smtp', { code: 'EABORT' }, false, 'timeout')).toMatchObject({
      kind: 'transient',
      code: 'timeout',
    });
  });
});
