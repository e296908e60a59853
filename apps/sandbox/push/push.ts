import { randomUUID } from 'node:crypto';
import { play } from '../faults.js';
import { httpMoment } from '../http-moment.js';
import { type Exchange, answerJson, parseJson, readBody } from '../http.js';
import type { Provider, Stage } from '../provider.js';
import { answerFault, answerFcmError, answerUnauthenticated, isFcmError } from './answers.js';
import { readMessage, targetOf } from './message.js';

/** Tokens that begin so belong to apps that were uninstalled. */
const UNREGISTERED = 'unregistered-';
const SEND = /^([^/]+)\/messages:send$/;

/**
 * Firebase Cloud Messaging, HTTP v1, and the OAuth endpoint that gives out its access tokens. Deliveries are told apart
 * by `data.deliveryId` and `data.notificationId`. Faults of stage `auth` strike the OAuth endpoint.
 */
export const push: Provider = {
  faultRules: {
    stages: ['send', 'auth'],
    usualStage: () => 'send',
    problem: ({ errorCode }) =>
      errorCode === undefined || isFcmError(errorCode) ? null : 'errorCode is not one of FCM',
  },

  start: (stage) => {
    const ids = messageIds();
    return Promise.resolve({
      routes: [
        { method: 'POST', path: '/v1/projects/', handle: (exchange) => send(exchange, stage, ids) },
        { method: 'POST', path: '/oauth/token', handle: (exchange) => giveToken(exchange, stage) },
      ],
      port: null,
      certificate: null,
      close: () => Promise.resolve(),
    });
  },

  describe: ({ raw }) => {
    const content = parseJson(raw);
    const message = readMessage(content, raw.length);
    const notification = typeof message === 'string' ? {} : (message.notification ?? {});
    return Promise.resolve({ title: notification.title ?? null, text: notification.body ?? '', content });
  },
};

const send = async (exchange: Exchange, { ledger, faults, closing }: Stage, nextId: () => string): Promise<void> => {
  const { request, response } = exchange;
  const raw = await readBody(request);
  const project = SEND.exec(exchange.rest)?.[1];
  if (project === undefined) return answerJson(response, 404, { error: { code: 404, status: 'NOT_FOUND' } });
  if (!request.headers.authorization?.startsWith('Bearer ')) return answerUnauthenticated(response);
  const message = readMessage(parseJson(raw), raw.length);
  if (typeof message === 'string') return answerFcmError(response, 'INVALID_ARGUMENT', { message });

  const target = targetOf(message);
  const fault = faults.strike('send', target);
  if (fault === null && target.startsWith(UNREGISTERED)) return answerFcmError(response, 'UNREGISTERED');
  const id = `projects/${project}/messages/${nextId()}`;
  const moment = httpMoment(exchange, {
    record: () =>
      ledger.record({
        id,
        deliveryId: message.data?.['deliveryId'] ?? null,
        notificationId: message.data?.['notificationId'] ?? null,
        target,
        signature: null,
        headers: request.headers,
        raw,
      }),
    accept: () => answerJson(response, 200, { name: id }),
    refuse: (struck) => answerFault(response, struck),
  });
  return play(fault, moment, closing);
};

/** Any grant will do: what is sent with the token is not checked against it. */
const giveToken = async (exchange: Exchange, { faults, closing }: Stage): Promise<void> => {
  const { request, response } = exchange;
  await readBody(request);
  const moment = httpMoment(exchange, {
    record: () => undefined,
    accept: () =>
      answerJson(response, 200, { access_token: `sandbox.${randomUUID()}`, token_type: 'Bearer', expires_in: 3_599 }),
    refuse: (fault) => answerFault(response, fault),
  });
  play(faults.strike('auth', exchange.path), moment, closing);
};

/** Ids in the shape of FCM's, different after each start. */
const messageIds = (): (() => string) => {
  const boot = Date.now();
  let count = 0;
  return () => `0:${boot}%${(++count).toString(16).padStart(16, '0')}`;
};
