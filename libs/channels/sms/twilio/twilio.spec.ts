import { startSandbox } from '../../../../apps/sandbox/sandbox.js';
import { sandboxSettings } from '../../../../apps/sandbox/settings.js';
import { describeSender } from '../../conformance.js';
import { inDigits, numberOf, smsSender } from '../spec-sms.js';

describeSender({
  channel: 'sms',
  title: 'sms by Twilio',
  start: () => startSandbox(sandboxSettings.parse({ SANDBOX_PORT: '0', SANDBOX_SMTP_PORT: '0' })),
  sender: ({ httpUrl }, { timeoutMs, connections }) =>
    smsSender(httpUrl, {
      SMS_PROVIDERS: 'twilio',
      SMS_TIMEOUT_MS: String(timeoutMs),
      SMS_CONNECTIONS: String(connections),
    }),
  spelt: inDigits,
  target: (_, name) => numberOf(name),
  answers: [
    [
      'what is no number',
      { kind: 'status', errorCode: '21211' },
      { kind: 'permanent', code: 'number_refused', class: 'recipient', providerStatus: '400' },
    ],
    ['a number without SMS', { kind: 'status', errorCode: '21614' }, { kind: 'permanent', code: 'number_refused' }],
    [
      'STOP',
      { kind: 'status', errorCode: '21610' },
      { kind: 'permanent', code: 'recipient_opted_out', class: 'recipient' },
    ],
    [
      'a refused message',
      { kind: 'status', errorCode: '21617' },
      { kind: 'permanent', code: 'content_refused', class: 'content' },
    ],
    ['a sender that is not ours', { kind: 'status', errorCode: '21606' }, { kind: 'credentials' }],
    ['refused credentials', { kind: 'status', status: 401 }, { kind: 'credentials', code: 'credentials_refused' }],
    ['missing rights', { kind: 'status', status: 403 }, { kind: 'credentials' }],
    ['too many', { kind: 'status', errorCode: '20429' }, { kind: 'rate_limited', retryAfterMs: null }],
    ['when to come back', { kind: 'status', status: 429, retryAfter: 7 }, { kind: 'rate_limited', retryAfterMs: 7000 }],
    ['a daily limit', { kind: 'status', errorCode: '63038' }, { kind: 'rate_limited', code: 'rate_limited' }],
    [
      'no service',
      { kind: 'status', status: 503 },
      { kind: 'transient', code: 'provider_unavailable', providerStatus: '503' },
    ],
    ['trouble there', { kind: 'status', status: 500 }, { kind: 'transient', code: 'provider_unavailable' }],
    ['no such account', { kind: 'status', status: 404 }, { kind: 'permanent', code: 'unexpected_answer' }],
  ],
});
