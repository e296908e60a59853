import { describe } from '@jest/globals';
import { plainHttp } from '#egress/guarded-http';
import { startSandbox } from '../../../apps/sandbox/sandbox.js';
import { sandboxSettings } from '../../../apps/sandbox/settings.js';
import { describeSender, type Harness, type ProviderFault } from '../conformance.js';
import { SlackSender } from './sender.js';

type Answer = Harness['answers'][number];

/** Webhooks whose names the suite makes up as it goes: any name is one. */
class EveryName extends Map<string, string> {
  constructor(private readonly httpUrl: string) {
    super();
  }
  override get(name: string): string {
    return `${this.httpUrl}/services/T00000000/B00000000/${name.split('/')[1] ?? ''}`;
  }
}

const harness = (target: (name: string) => string, answers: readonly Answer[]): Harness => ({
  channel: 'slack',
  start: () => startSandbox(sandboxSettings.parse({ SANDBOX_PORT: '0', SANDBOX_SMTP_PORT: '0' })),
  sender: ({ httpUrl }, { timeoutMs, connections }) =>
    new SlackSender({
      tokens: new Map([['test', 'xoxb-sandbox']]),
      webhooks: new EveryName(httpUrl),
      apiUrl: `${httpUrl}/api/`,
      http: plainHttp({ connectTimeoutMs: 5_000, connectionsPerOrigin: connections }),
      concurrency: 16,
      timeoutMs,
    }),
  target: (_, name) => target(name),
  answers: [...answers, ...BY_STATUS],
});

const word = (errorCode: string): ProviderFault => ({ kind: 'status', errorCode });
const refusal = (errorCode: string, code = errorCode): Answer => [
  errorCode,
  word(errorCode),
  { kind: 'permanent', code, class: 'recipient', providerStatus: errorCode },
];
const refusedContent = (errorCode: string): Answer => [
  errorCode,
  word(errorCode),
  { kind: 'permanent', code: 'content_refused', class: 'content', providerStatus: errorCode },
];
const refusedUs = (errorCode: string): Answer => [
  errorCode,
  word(errorCode),
  { kind: 'credentials', code: 'credentials_refused', class: 'credentials', providerStatus: errorCode },
];
const passing = (errorCode: string, providerStatus = errorCode): Answer => [
  errorCode,
  word(errorCode),
  { kind: 'transient', code: 'provider_unavailable', class: 'provider', providerStatus },
];

const BY_STATUS: readonly Answer[] = [
  [
    'when to come back',
    { kind: 'status', status: 429, retryAfter: 30 },
    { kind: 'rate_limited', retryAfterMs: 30_000, code: 'rate_limited', providerStatus: '429' },
  ],
  ['too many, without a time', { kind: 'status', status: 429 }, { kind: 'rate_limited', retryAfterMs: null }],
  ['trouble there', { kind: 'status', status: 500 }, { kind: 'transient', providerStatus: '500' }],
  [
    'no service',
    { kind: 'status', status: 503 },
    { kind: 'transient', code: 'provider_unavailable', class: 'provider', providerStatus: '503' },
  ],
  [
    'no service until',
    { kind: 'status', status: 503, retryAfter: 7 },
    { kind: 'rate_limited', retryAfterMs: 7_000, code: 'provider_unavailable' },
  ],
  ['a request too slow', { kind: 'status', status: 408 }, { kind: 'transient', providerStatus: '408' }],
  ['a door that is shut', { kind: 'status', status: 403 }, { kind: 'credentials', providerStatus: '403' }],
  [
    'a redirect, without following it',
    { kind: 'status', status: 302 },
    { kind: 'permanent', code: 'unexpected_answer', class: 'provider' },
  ],
];

describe('a bot', () => {
  describeSender(
    harness(
      (name) => `#${name}`,
      [
        refusal('channel_not_found'),
        refusal('is_archived', 'channel_archived'),
        refusal('not_in_channel'),
        refusal('user_not_found'),
        refusal('restricted_action', 'posting_refused'),
        refusedUs('invalid_auth'),
        refusedUs('token_revoked'),
        refusedUs('account_inactive'),
        refusedUs('missing_scope'),
        refusedContent('msg_too_long'),
        refusedContent('invalid_blocks'),
        passing('internal_error'),
        passing('fatal_error'),
        passing('service_unavailable'),
        ['ratelimited', { ...word('ratelimited'), retryAfter: 9 }, { kind: 'rate_limited', retryAfterMs: 9_000 }],
        ['message_limit_exceeded', word('message_limit_exceeded'), { kind: 'rate_limited', retryAfterMs: null }],
        [
          'a word of tomorrow',
          word('moon_in_retrograde'),
          { kind: 'permanent', code: 'unexpected_answer', class: 'provider', providerStatus: '200' },
        ],
      ],
    ),
  );
});

describe('a webhook', () => {
  describeSender(
    harness(
      (name) => `webhook:${name}`,
      [
        refusal('channel_not_found'),
        refusal('channel_is_archived', 'channel_archived'),
        refusal('user_not_found'),
        refusal('action_prohibited', 'posting_refused'),
        refusedUs('no_service'),
        refusedUs('invalid_token'),
        refusedContent('invalid_payload'),
        passing('rollup_error', '500'),
        ['rate_limited', { ...word('rate_limited'), retryAfter: 9 }, { kind: 'rate_limited', retryAfterMs: 9_000 }],
      ],
    ),
  );
});
