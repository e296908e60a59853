import { randomUUID } from 'node:crypto';
import { play } from '../faults.js';
import { httpMoment, retryAfterHeader } from '../http-moment.js';
import { type Exchange, answer, answerJson, parseJson, readBody } from '../http.js';
import type { Provider, Stage } from '../provider.js';
import { checkSignature, keyOf } from './signature.js';

/** Where redirects point to: a sender that follows one leaves a record there. */
const REDIRECTED = '/webhook/redirected';

/**
 * An endpoint that takes every POST below /webhook/. Deliveries are told apart by `webhook-id` and
 * `data.notificationId` of the body. A wrong signature is recorded as such, and accepted.
 */
export const webhook: Provider = {
  faultRules: {
    stages: ['send'],
    usualStage: () => 'send',
    problem: ({ errorCode }) => (errorCode === undefined ? null : 'errorCode is for push and sms'),
  },

  start: (stage) => {
    const keys = stage.settings.SANDBOX_WEBHOOK_SECRETS.map(keyOf);
    return Promise.resolve({
      routes: [{ method: 'POST', path: '/webhook/', handle: (exchange) => receive(exchange, stage, keys) }],
      port: null,
      certificate: null,
      close: () => Promise.resolve(),
    });
  },

  describe: ({ raw }) => {
    const content = parseJson(raw) ?? raw.toString();
    const { title, body } = dataOf(content);
    return Promise.resolve({
      title: typeof title === 'string' ? title : null,
      text: typeof body === 'string' ? body : '',
      content,
    });
  },
};

const receive = async (
  exchange: Exchange,
  { ledger, faults, closing }: Stage,
  keys: readonly Buffer[],
): Promise<void> => {
  const { request, response } = exchange;
  const raw = await readBody(request);
  const target = request.url ?? exchange.path;
  const id = randomUUID();
  const { notificationId } = dataOf(parseJson(raw));
  const webhookId = request.headers['webhook-id'];
  const moment = httpMoment(exchange, {
    record: () =>
      ledger.record({
        id,
        deliveryId: typeof webhookId === 'string' ? webhookId : null,
        notificationId: typeof notificationId === 'string' ? notificationId : null,
        target,
        signature: checkSignature(request.headers, raw, keys, Date.now()),
        headers: request.headers,
        raw,
      }),
    accept: () => answerJson(response, 200, { id }),
    refuse: (fault) => {
      const status = fault.status ?? 500;
      const location = status < 400 ? { location: REDIRECTED } : {};
      answer(response, status, 'text/plain; charset=utf-8', `a fault was asked for: ${status}`, {
        ...retryAfterHeader(fault),
        ...location,
      });
    },
  });
  play(faults.strike('send', target), moment, closing);
};

/** `data` of a webhook body, empty where there is none. */
const dataOf = (body: unknown): Record<string, unknown> => {
  if (typeof body !== 'object' || body === null || !('data' in body)) return {};
  return typeof body.data === 'object' && body.data !== null ? (body.data as Record<string, unknown>) : {};
};
