import { startSandbox } from '../../../apps/sandbox/sandbox.js';
import { sandboxSettings } from '../../../apps/sandbox/settings.js';
import { GuardedHttp } from '#egress/guarded-http';
import { parseAllowLists } from '#egress/allow-list';
import { describeSender } from '../conformance.js';
import { parseSigningKeys } from './secrets.js';
import { WebhookSender } from './sender.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describeSender({
  channel: 'webhook',
  start: () =>
    startSandbox(sandboxSettings.parse({ SANDBOX_PORT: '0', SANDBOX_SMTP_PORT: '0', SANDBOX_WEBHOOK_SECRETS: SECRET })),
  sender: (_, { timeoutMs, connections }) =>
    new WebhookSender({
      keys: parseSigningKeys(`*=${SECRET}`) ?? new Map(),
      http: new GuardedHttp(parseAllowLists('test=127.0.0.1/32') ?? new Map(), {
        connectTimeoutMs: 5_000,
        connectionsPerOrigin: connections,
      }),
      concurrency: 128,
      timeoutMs,
    }),
  target: ({ httpUrl }, name) => `${httpUrl}/webhook/${name}`,
  answers: [
    [
      'an endpoint that is gone',
      { kind: 'status', status: 410 },
      { kind: 'recipient_gone', code: 'endpoint_gone', class: 'recipient' },
    ],
    [
      'a refusal',
      { kind: 'status', status: 400 },
      { kind: 'permanent', code: 'endpoint_refused', class: 'recipient', providerStatus: '400' },
    ],
    ['no such endpoint', { kind: 'status', status: 404 }, { kind: 'permanent', code: 'endpoint_refused' }],
    [
      'a redirect, without following it',
      { kind: 'status', status: 307 },
      { kind: 'permanent', code: 'redirect_refused', class: 'recipient' },
    ],
    ['too many', { kind: 'status', status: 429 }, { kind: 'rate_limited', retryAfterMs: null, code: 'rate_limited' }],
    ['when to come back', { kind: 'status', status: 429, retryAfter: 7 }, { kind: 'rate_limited', retryAfterMs: 7000 }],
    [
      'no service until',
      { kind: 'status', status: 503, retryAfter: 30 },
      { kind: 'rate_limited', retryAfterMs: 30_000, code: 'provider_unavailable' },
    ],
    [
      'no service',
      { kind: 'status', status: 503 },
      { kind: 'transient', code: 'provider_unavailable', class: 'provider', providerStatus: '503' },
    ],
    [
      'trouble there',
      { kind: 'status', status: 500 },
      { kind: 'transient', code: 'provider_unavailable', providerStatus: '500' },
    ],
    [
      'a request too slow',
      { kind: 'status', status: 408 },
      { kind: 'transient', code: 'provider_unavailable', providerStatus: '408' },
    ],
    [
      'a request too early',
      { kind: 'status', status: 425 },
      { kind: 'transient', code: 'provider_unavailable', providerStatus: '425' },
    ],
  ],
});
