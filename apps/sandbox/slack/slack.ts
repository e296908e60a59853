import { createHash, randomUUID } from 'node:crypto';
import { play } from '../faults.js';
import { httpMoment } from '../http-moment.js';
import { answer, answerJson, readBody as readRaw, type Exchange } from '../http.js';
import type { Provider, Stage } from '../provider.js';
import { answerApiError, answerFault, answerWebhookError } from './answers.js';
import { idsOf, readBody, readMessage, summaryOf, type SlackMessage } from './message.js';

/** Of a webhook's path: team, service, secret. */
const SECRET_PATH = /^T[^/]+\/B[^/]+\/[^/]+$/;

/**
 * Slack: chat.postMessage of its Web API, and incoming webhooks. Deliveries are told apart by `metadata.event_payload`.
 * Any token that looks like one will do.
 */
export const slack: Provider = {
  faultRules: {
    stages: ['send'],
    usualStage: () => 'send',
    problem: ({ errorCode }) =>
      errorCode === undefined || /^[a-z_]+$/.test(errorCode) ? null : 'errorCode is a word such as channel_not_found',
  },

  start: (stage) => {
    const nextTs = timestamps();
    return Promise.resolve({
      routes: [
        { method: 'POST', path: '/api/chat.postMessage', handle: (exchange) => post(exchange, stage, nextTs) },
        { method: 'POST', path: '/services/', handle: (exchange) => receive(exchange, stage) },
      ],
      port: null,
      certificate: null,
      close: () => Promise.resolve(),
    });
  },

  describe: ({ headers, raw }) => {
    const content = readBody(headers, raw);
    const message = readMessage(content);
    const summary = typeof message === 'string' ? { title: null, text: '' } : summaryOf(message);
    return Promise.resolve({ ...summary, content });
  },
};

const post = async (exchange: Exchange, stage: Stage, nextTs: () => string): Promise<void> => {
  const { request, response } = exchange;
  const raw = await readRaw(request);
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return answerApiError(response, 'not_authed');
  if (!token.startsWith('xox')) return answerApiError(response, 'invalid_auth');
  const message = readMessage(readBody(request.headers, raw));
  if (typeof message === 'string') return answerApiError(response, message);
  const { channel } = message;
  if (channel === null) return answerApiError(response, 'channel_not_found');
  const ts = nextTs();
  const { text, blocks, metadata } = message;
  handle(exchange, stage, 'api', { id: ts, target: channel, message, raw }, () =>
    answerJson(response, 200, {
      ok: true,
      channel: idOf(channel),
      ts,
      message: { type: 'message', subtype: 'bot_message', bot_id: 'B00000000', text, ts, blocks, metadata },
    }),
  );
};

const receive = async (exchange: Exchange, stage: Stage): Promise<void> => {
  const { request, response } = exchange;
  const raw = await readRaw(request);
  if (!SECRET_PATH.test(exchange.rest)) return answerWebhookError(response, 'no_service');
  const message = readMessage(readBody(request.headers, raw));
  if (typeof message === 'string') return answerWebhookError(response, message);
  // Slack tells no id here.
  handle(exchange, stage, 'webhook', { id: randomUUID(), target: exchange.path, message, raw }, () =>
    answer(response, 200, 'text/html', 'ok'),
  );
};

const handle = (
  exchange: Exchange,
  { ledger, faults, closing }: Stage,
  way: 'api' | 'webhook',
  { id, target, message, raw }: { id: string; target: string; message: SlackMessage; raw: Buffer },
  accept: () => void,
): void => {
  const { headers } = exchange.request;
  const moment = httpMoment(exchange, {
    record: () => ledger.record({ id, ...idsOf(message), target, signature: null, headers, raw }),
    accept,
    refuse: (fault) => answerFault(exchange.response, way, fault),
  });
  play(faults.strike('send', target), moment, closing);
};

/** The id of a conversation: what has a name has one of its own, a person is met in one. */
const idOf = (channel: string): string =>
  /^[CGD]/.test(channel)
    ? channel
    : `${channel.startsWith('#') ? 'C' : 'D'}${createHash('sha256').update(channel).digest('hex').slice(0, 10).toUpperCase()}`;

/** Seconds and a count, which together are a message's id in its channel. */
const timestamps = (): (() => string) => {
  let count = 0;
  return () => `${Math.floor(Date.now() / 1000)}.${String(++count % 1_000_000).padStart(6, '0')}`;
};
