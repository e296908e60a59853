import { startSandbox } from '../../../apps/sandbox/sandbox.js';
import { sandboxSettings } from '../../../apps/sandbox/settings.js';
import { describeSender } from '../conformance.js';
import { openProviders } from '#testing/open-providers';
import { FailoverSender } from '../providers/failover.js';
import { Smtp } from './smtp.js';

const refusedAddress = { kind: 'permanent', code: 'recipient_refused', class: 'recipient' } as const;
const refusedContent = { kind: 'permanent', code: 'content_refused', class: 'content' } as const;
const passing = { kind: 'transient', code: 'provider_unavailable', class: 'provider' } as const;

describeSender({
  channel: 'email',
  start: () => startSandbox(sandboxSettings.parse({ SANDBOX_PORT: '0', SANDBOX_SMTP_PORT: '0' })),
  sender: ({ smtpPort }, { timeoutMs, connections }) => {
    const smtp = new Smtp({
      name: 'smtp',
      sender: { name: null, address: 'no-reply@example.org', messageIdDomain: 'example.org' },
      smtp: { host: '127.0.0.1', port: smtpPort, ignoreTLS: true },
      connections,
    });
    return new FailoverSender({
      channel: 'email',
      providers: [smtp],
      orders: new Map(),
      concurrency: connections,
      timeoutMs,
      halfOpenMs: 10_000,
      parts: openProviders(),
      close: () => Promise.resolve(smtp.close()),
    });
  },
  target: (_, name) => `${name}@example.org`,
  answers: [
    ['an unknown mailbox', { kind: 'status', status: 550 }, { ...refusedAddress, providerStatus: '550' }],
    ['an unknown mailbox, told late', { kind: 'status', status: 550, stage: 'data' }, refusedAddress],
    ['a full mailbox', { kind: 'status', status: 552, stage: 'recipient' }, refusedAddress],
    ['a message too large', { kind: 'status', status: 552, stage: 'data' }, refusedContent],
    ['a message refused', { kind: 'status', status: 554, stage: 'data' }, { ...refusedContent, providerStatus: '554' }],
    ['a busy mailbox', { kind: 'status', status: 450, stage: 'recipient' }, { ...passing, providerStatus: '450' }],
    ['trouble there', { kind: 'status', status: 451, stage: 'data' }, { ...passing, providerStatus: '451' }],
    [
      'a server that closes',
      { kind: 'status', status: 421, stage: 'recipient' },
      { ...passing, providerStatus: '421' },
    ],
    [
      'a command not understood',
      { kind: 'status', status: 502, stage: 'data' },
      { kind: 'permanent', code: 'unexpected_answer', class: 'provider' },
    ],
  ],
});
