import { startSandbox } from '../../../../apps/sandbox/sandbox.js';
import { sandboxSettings } from '../../../../apps/sandbox/settings.js';
import { describeSender } from '../../conformance.js';
import { inDigits, numberOf, smsSender } from '../spec-sms.js';

describeSender({
  channel: 'sms',
  title: 'sms by Orange',
  start: () => startSandbox(sandboxSettings.parse({ SANDBOX_PORT: '0', SANDBOX_SMTP_PORT: '0' })),
  sender: ({ httpUrl }, { timeoutMs, connections }) =>
    smsSender(httpUrl, {
      SMS_PROVIDERS: 'orange',
      SMS_TIMEOUT_MS: String(timeoutMs),
      SMS_CONNECTIONS: String(connections),
    }),
  spelt: inDigits,
  target: (_, name) => numberOf(name),
  answers: [
    [
      'a number that it cannot reach',
      { kind: 'status', errorCode: 'SVC0004' },
      { kind: 'permanent', code: 'number_refused', class: 'recipient', providerStatus: '400' },
    ],
    [
      'a refused message',
      { kind: 'status', errorCode: 'SVC0002' },
      { kind: 'permanent', code: 'content_refused', class: 'content' },
    ],
    ['a contract that has ended', { kind: 'status', errorCode: 'POL0001' }, { kind: 'credentials' }],
    ['missing rights', { kind: 'status', status: 403 }, { kind: 'credentials', code: 'credentials_refused' }],
    ['a token that has ended, by another one', { kind: 'status', status: 401, count: 1 }, { kind: 'sent' }],
    ['too many', { kind: 'status', status: 429 }, { kind: 'rate_limited', retryAfterMs: null, code: 'rate_limited' }],
    ['when to come back', { kind: 'status', status: 429, retryAfter: 7 }, { kind: 'rate_limited', retryAfterMs: 7000 }],
    [
      'no service until',
      { kind: 'status', status: 503, retryAfter: 30 },
      { kind: 'rate_limited', retryAfterMs: 30_000, code: 'provider_unavailable' },
    ],
    [
      'trouble there',
      { kind: 'status', status: 500 },
      { kind: 'transient', code: 'provider_unavailable', class: 'provider', providerStatus: '500' },
    ],
    ['a request too slow', { kind: 'status', status: 408 }, { kind: 'transient', providerStatus: '408' }],
    ['no token: trouble there', { kind: 'status', status: 500, stage: 'auth' }, { kind: 'transient' }],
    [
      'no token: too many',
      { kind: 'status', status: 429, stage: 'auth', retryAfter: 3 },
      { kind: 'rate_limited', retryAfterMs: 3000 },
    ],
    ['no token: refused credentials', { kind: 'status', status: 401, stage: 'auth' }, { kind: 'credentials' }],
    ['no token: a lost connection', { kind: 'reset', stage: 'auth' }, { kind: 'transient', code: 'connection_lost' }],
    [
      'what is not Orange',
      { kind: 'status', status: 405 },
      { kind: 'permanent', code: 'unexpected_answer', class: 'provider' },
    ],
  ],
});
