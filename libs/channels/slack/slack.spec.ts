import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { inspect } from 'node:util';
import { type SandboxClient, startSandboxClient } from '../../../apps/sandbox/client.js';
import { InvalidSettings, parseSettings } from '#config/settings';
import type { Outcome } from '#domain/outcome';
import type { SendRequest } from '#domain/sender';
import { sendRequest } from '../conformance.js';
import { configureSlack } from './configure.js';
import { slackMessage } from './message.js';
import { botTokenOf, parseBotTokens, parseWebhooks, webhookUrlOf } from './secrets.js';
import { SlackSettings } from './settings.js';

const TOKEN = 'xoxb-17653672481-sl4ck';
const OTHER = 'xoxb-99999999999-0ther';
const SECRET_PATH = '/services/T00000000/B00000000/h00k';

let sandbox: SandboxClient;
beforeAll(async () => {
  sandbox = await startSandboxClient();
});
afterEach(async () => {
  await sandbox.call('/faults/slack', { method: 'DELETE' });
  await sandbox.call('/received', { method: 'DELETE' });
});
afterAll(() => sandbox.close());

const sendAll = async (...batch: SendRequest[]): Promise<Outcome[]> => {
  const sender = configureSlack(
    parseSettings(SlackSettings, {
      SLACK_API_URL: `${sandbox.httpUrl}/api/`,
      SLACK_TOKENS: `test=${TOKEN};wellness=${OTHER}`,
      SLACK_WEBHOOKS: `test/alerts=${sandbox.httpUrl}${SECRET_PATH}`,
    }),
  );
  try {
    return await sender.send(batch, new AbortController().signal);
  } finally {
    await sender.close();
  }
};
const send = async (over: Partial<SendRequest> & { target: string }): Promise<Outcome | undefined> =>
  (await sendAll(sendRequest(over)))[0];

interface Shown {
  id: string;
  target: string;
  title: string;
  excerpt: string;
  headers: Record<string, string>;
  content: Record<string, unknown>;
}
const received = async (): Promise<Shown> => {
  const { data } = (await sandbox.call('/received?channel=slack')) as { data: { sequence: number }[] };
  expect(data).toHaveLength(1);
  return (await sandbox.call(`/received/${data[0]?.sequence}`)) as Shown;
};

const data = {
  fields: [{ title: 'Dose', value: '8 units' }],
  link: { url: 'https://example.org/rx/9931', text: 'Prescription' },
};
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text, verbatim: true });
const MESSAGE = {
  text: 'Insulin\nTime for your 8:00 dose',
  blocks: [
    { type: 'header', text: { type: 'plain_text', text: 'Insulin', emoji: false } },
    { type: 'section', text: mrkdwn('Time for your 8:00 dose') },
    { type: 'section', fields: [mrkdwn('*Dose*\n8 units')] },
    {
      type: 'actions',
      elements: [
        {
          type: 'button',
          action_id: 'link',
          text: { type: 'plain_text', text: 'Prescription', emoji: false },
          url: 'https://example.org/rx/9931',
        },
      ],
    },
  ],
  metadata: {
    event_type: 'carillon_notification',
    event_payload: { notificationId: '66f1c0de9a1b2c3d4e5f6071', deliveryId: '66f1c0de9a1b2c3d4e5f6071-1' },
  },
};

describe('a message to Slack', () => {
  it("is posted as the service's bot, and known by Slack's timestamp", async () => {
    const outcome = await send({ target: '#reminders', data });
    const shown = await received();
    expect(outcome).toEqual({ kind: 'sent', provider: 'slack', providerMessageId: shown.id, providerStatus: '200' });
    expect(shown).toMatchObject({ target: '#reminders', title: 'Insulin', excerpt: 'Time for your 8:00 dose' });
    expect(shown.headers['authorization']).toBe(`Bearer ${TOKEN}`);
    expect(shown.content).toEqual({
      channel: '#reminders',
      ...MESSAGE,
      unfurl_links: 'false',
      unfurl_media: 'false',
    });
  });

  it('is told from all others that are sent at once, though each waits for a connection', async () => {
    await sandbox.call('/faults/slack', {
      method: 'PUT',
      body: [{ kind: 'status', errorCode: 'is_archived', match: '7' }],
    });
    const names = Array.from({ length: 250 }, (_, index) => `#n${index}`);
    const outcomes = await sendAll(...names.map((target) => sendRequest({ target, deliveryId: `n-${target}` })));
    expect(outcomes.map(({ kind }) => kind)).toEqual(names.map((name) => (name.includes('7') ? 'permanent' : 'sent')));
  });

  it('goes to the webhook that the target names', async () => {
    const outcome = await send({ target: 'webhook:alerts', data });
    expect(outcome).toEqual({ kind: 'sent', provider: 'slack', providerMessageId: null, providerStatus: '200' });
    const shown = await received();
    expect(shown).toMatchObject({ target: SECRET_PATH, title: 'Insulin', content: MESSAGE });
    expect(shown.headers).not.toHaveProperty('authorization');
  });

  it('has no header without a title, and calls nobody', () => {
    const { text, blocks } = slackMessage(sendRequest({ target: '#x', title: null, body: '<!here> 1 < 2' }));
    expect(text).toBe('&lt;!here&gt; 1 &lt; 2');
    expect(blocks).toEqual([{ type: 'section', text: mrkdwn('&lt;!here&gt; 1 &lt; 2') }]);
    expect(slackMessage(sendRequest({ target: '#x', title: '<!here>' })).text).toMatch(/^&lt;!here&gt;\n/);
  });

  it('is posted with the token of its own service only', async () => {
    await send({ target: '#reminders', serviceName: 'wellness' });
    expect((await received()).headers['authorization']).toBe(`Bearer ${OTHER}`);
    expect(await send({ target: '#reminders', serviceName: 'diabetes' })).toMatchObject({
      kind: 'credentials',
      code: 'no_bot_token',
    });
    for (const [target, serviceName] of [
      ['webhook:alerts', 'wellness'],
      ['webhook:others', 'test'],
    ] as const) {
      expect(await send({ target, serviceName })).toMatchObject({
        kind: 'permanent',
        code: 'unknown_webhook',
        class: 'recipient',
      });
    }
    expect(await sandbox.call('/counts')).toMatchObject({ slack: { received: 1 } });
  });
});

describe('secrets', () => {
  const SECRETS = /sl4ck|0ther|h00k/;
  const written: string[] = [];
  beforeEach(() => {
    written.length = 0;
    for (const stream of [process.stdout, process.stderr]) {
      jest.spyOn(stream, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
    }
    for (const method of ['debug', 'info', 'log', 'warn', 'error'] as const) {
      jest.spyOn(console, method).mockImplementation((...args) => void written.push(inspect(args)));
    }
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each([
    [{ kind: 'status', errorCode: 'invalid_auth' }],
    [{ kind: 'status', errorCode: 'no_service' }],
    [{ kind: 'status', status: 429, retryAfter: 3 }],
    [{ kind: 'status', status: 429 }],
    [{ kind: 'status', status: 500 }],
    [{ kind: 'status', status: 302 }],
    [{ kind: 'reset' }],
    [{ kind: 'drop' }],
  ])('are in no outcome and nowhere on the console after %j', async (fault) => {
    await sandbox.call('/faults/slack', { method: 'PUT', body: [fault] });
    for (const target of ['#reminders', 'webhook:alerts']) {
      const outcome = await send({ target, data });
      expect(outcome?.kind).not.toBe('sent');
      expect(inspect(outcome, { depth: null })).not.toMatch(SECRETS);
    }
    expect(written).toEqual([]);
  });

  it.each([
    ['SLACK_TOKENS', 'sl4ck'],
    ['SLACK_TOKENS', 'test=sl4ck'],
    ['SLACK_TOKENS', `Test=${TOKEN}`],
    ['SLACK_TOKENS', `test=${TOKEN};test=${OTHER}`],
    ['SLACK_TOKENS', `test=${TOKEN} ${OTHER}`],
    ['SLACK_WEBHOOKS', 'https://hooks.slack.com/services/T/B/h00k'],
    ['SLACK_WEBHOOKS', 'test=https://hooks.slack.com/services/T/B/h00k'],
    ['SLACK_WEBHOOKS', 'test/Alerts=https://hooks.slack.com/services/T/B/h00k'],
    ['SLACK_WEBHOOKS', 'test/a/b=https://hooks.slack.com/services/T/B/h00k'],
    ['SLACK_WEBHOOKS', 'test/alerts=ftp://hooks.slack.com/h00k'],
    ['SLACK_WEBHOOKS', 'test/alerts=https://h00k@hooks.slack.com/services'],
    ['SLACK_WEBHOOKS', 'test/alerts=https://hooks.slack.com/'],
  ])('that are wrong stop the start and are not repeated: %s=%s', (name, value) => {
    const parse = (): unknown => parseSettings(SlackSettings, { [name]: value });
    expect(parse).toThrow(InvalidSettings);
    expect(parse).toThrow(new RegExp(`${name} must be like`));
    expect(parse).not.toThrow(SECRETS);
  });

  it('are those of the service, or of all', () => {
    const tokens = parseBotTokens(` test = ${TOKEN} ; * = ${OTHER};`) ?? new Map<string, string>();
    expect(botTokenOf(tokens, 'test')).toBe(TOKEN);
    expect(botTokenOf(tokens, 'wellness')).toBe(OTHER);
    expect(botTokenOf(parseBotTokens(`test=${TOKEN}`) ?? new Map<string, string>(), 'wellness')).toBeNull();
    const webhooks = parseWebhooks(
      'test/ops=https://a.example/x?y=z;*/ops=https://b.example/x;*/all=https://c.example/x',
    );
    const urlOf = (service: string, name: string): string | null =>
      webhookUrlOf(webhooks ?? new Map<string, string>(), service, name);
    expect(urlOf('test', 'ops')).toBe('https://a.example/x?y=z');
    expect(urlOf('wellness', 'ops')).toBe('https://b.example/x');
    expect(urlOf('test', 'all')).toBe('https://c.example/x');
    expect(urlOf('test', 'none')).toBeNull();
  });
});
