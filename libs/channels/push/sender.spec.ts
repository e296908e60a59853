import { startSandbox } from '../../../apps/sandbox/sandbox.js';
import { sandboxSettings } from '../../../apps/sandbox/settings.js';
import { describeSender } from '../conformance.js';
import { PushSender } from './sender.js';

describeSender({
  channel: 'push',
  start: () => startSandbox(sandboxSettings.parse({ SANDBOX_PORT: '0', SANDBOX_SMTP_PORT: '0' })),
  sender: ({ httpUrl }, { timeoutMs, connections }) =>
    new PushSender({
      projectId: 'test',
      credential: { getAccessToken: () => Promise.resolve({ access_token: 'token', expires_in: 3600 }) },
      endpoint: new URL(httpUrl),
      sockets: connections,
      concurrency: 1,
      timeoutMs,
    }),
  target: (_, name) => `token-of-${name}`,
  answers: [
    [
      'an unregistered token',
      { kind: 'status', errorCode: 'UNREGISTERED' },
      { kind: 'recipient_gone', code: 'token_unregistered', class: 'recipient' },
    ],
    [
      'a refused message',
      { kind: 'status', errorCode: 'INVALID_ARGUMENT' },
      { kind: 'permanent', code: 'content_refused', class: 'content' },
    ],
    [
      'too many messages',
      { kind: 'status', errorCode: 'QUOTA_EXCEEDED' },
      { kind: 'rate_limited', retryAfterMs: null, code: 'rate_limited' },
    ],
    ['when to come back', { kind: 'status', status: 429, retryAfter: 7 }, { kind: 'rate_limited', retryAfterMs: 7000 }],
    [
      'trouble there',
      { kind: 'status', errorCode: 'INTERNAL' },
      { kind: 'transient', code: 'provider_unavailable', class: 'provider', providerStatus: '500' },
    ],
    [
      'no service',
      { kind: 'status', errorCode: 'UNAVAILABLE' },
      { kind: 'transient', code: 'provider_unavailable', providerStatus: '503' },
    ],
    [
      'no service until',
      { kind: 'status', status: 503, retryAfter: 30 },
      { kind: 'rate_limited', retryAfterMs: 30_000, code: 'provider_unavailable' },
    ],
    [
      'a front end that fails',
      { kind: 'status', status: 502 },
      { kind: 'transient', code: 'provider_unavailable', providerStatus: '502' },
    ],
    [
      'refused credentials',
      { kind: 'status', status: 401 },
      { kind: 'credentials', code: 'credentials_refused', class: 'credentials' },
    ],
    ['missing rights', { kind: 'status', status: 403 }, { kind: 'credentials' }],
    ['trouble with APNs', { kind: 'status', errorCode: 'THIRD_PARTY_AUTH_ERROR' }, { kind: 'credentials' }],
    ["another sender's token", { kind: 'status', errorCode: 'SENDER_ID_MISMATCH' }, { kind: 'credentials' }],
    [
      'what is not FCM',
      { kind: 'status', status: 405 },
      { kind: 'permanent', code: 'unexpected_answer', class: 'provider' },
    ],
  ],
});
