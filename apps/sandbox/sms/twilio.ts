import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type Fault, play } from '../faults.js';
import { httpMoment, retryAfterHeader } from '../http-moment.js';
import { type Exchange, type Route, answerJson, readBody } from '../http.js';
import type { Stage } from '../provider.js';
import { notificationOf } from './delivery.js';
import type { ReceiptSender } from './receipts.js';

const SEND = /^(AC[0-9a-f]{32})\/Messages\.json$/;
const NUMBER = /^\+[1-9]\d{7,14}$/;
const MAX_BODY = 1_600;

/** https://www.twilio.com/docs/api/errors */
const ERRORS = {
  '20003': { http: 401, message: 'Authenticate' },
  '20404': { http: 404, message: 'The requested resource was not found' },
  '20429': { http: 429, message: 'Too Many Requests' },
  '20500': { http: 500, message: 'An internal server error has occurred' },
  '20503': { http: 503, message: 'Service unavailable' },
  '21211': { http: 400, message: "Invalid 'To' Phone Number" },
  '21602': { http: 400, message: 'Message body is required.' },
  '21603': { http: 400, message: "A 'From' phone number is required." },
  '21606': { http: 400, message: "The 'From' phone number provided is not a valid message-capable number" },
  '21610': { http: 400, message: 'Attempt to send to unsubscribed recipient' },
  '21614': { http: 400, message: "'To' number is not a valid mobile number" },
  '21617': { http: 400, message: 'The concatenated message body exceeds the 1600 character limit' },
  '63038': { http: 429, message: 'Account exceeded the daily messages limit' },
} as const;
type TwilioError = keyof typeof ERRORS;

const BY_STATUS: Readonly<Record<number, TwilioError>> = {
  401: '20003',
  404: '20404',
  429: '20429',
  500: '20500',
  503: '20503',
};

export const isTwilioError = (code: string): code is TwilioError => Object.hasOwn(ERRORS, code);

/** Twilio's Messages API. The delivery id stands in the callback; a message that is repeated is another message. */
export const twilioRoutes = (stage: Stage, receipts: ReceiptSender): readonly Route[] => [
  { method: 'POST', path: '/2010-04-01/Accounts/', handle: (exchange) => send(exchange, stage, receipts) },
];

const send = async (exchange: Exchange, { ledger, faults, closing }: Stage, receipts: ReceiptSender): Promise<void> => {
  const { request, response } = exchange;
  const raw = await readBody(request);
  const account = SEND.exec(exchange.rest)?.[1];
  if (account === undefined) return answerError(response, '20404');
  if (userOf(request.headers.authorization) !== account) return answerError(response, '20003');
  const form = new URLSearchParams(raw.toString());
  const [to, from, body] = [form.get('To') ?? '', form.get('From') ?? '', form.get('Body') ?? ''];
  if (!NUMBER.test(to)) return answerError(response, '21211');
  if (from === '') return answerError(response, '21603');
  if (body === '') return answerError(response, '21602');
  if (body.length > MAX_BODY) return answerError(response, '21617');
  const id = `SM${randomBytes(16).toString('hex')}`;
  const callback = form.get('StatusCallback');
  const deliveryId = URL.parse(callback ?? '')?.searchParams.get('deliveryId') ?? null;
  const moment = httpMoment(exchange, {
    record: () =>
      ledger.record({
        id,
        deliveryId,
        notificationId: notificationOf(deliveryId),
        target: to,
        signature: null,
        headers: request.headers,
        raw,
      }),
    accept: () => {
      answerJson(response, 201, messageOf(account, id, { to, from, body }));
      receipts.twilio(callback, { sid: id, to, from });
    },
    refuse: (fault) => answerFault(response, fault),
  });
  return play(faults.strike('send', to, 'twilio'), moment, closing);
};

const userOf = (authorization: string | undefined): string => {
  const basic = /^Basic (\S+)$/.exec(authorization ?? '')?.[1] ?? '';
  return Buffer.from(basic, 'base64').toString().split(':', 1)[0] ?? '';
};

const messageOf = (account: string, sid: string, text: { to: string; from: string; body: string }): object => ({
  account_sid: account,
  api_version: '2010-04-01',
  date_created: new Date().toUTCString(),
  direction: 'outbound-api',
  error_code: null,
  error_message: null,
  ...text,
  sid,
  status: 'queued',
  uri: `/2010-04-01/Accounts/${account}/Messages/${sid}.json`,
});

const answerError = (response: ServerResponse, code: TwilioError, headers: object = {}): void => {
  const { http, message } = ERRORS[code];
  const more_info = `https://www.twilio.com/docs/errors/${code}`;
  answerJson(response, http, { code: Number(code), message, more_info, status: http }, { ...headers });
};

const answerFault = (response: ServerResponse, fault: Fault): void => {
  const status = fault.status ?? 500;
  const code = fault.errorCode ?? BY_STATUS[status];
  if (code !== undefined && isTwilioError(code)) answerError(response, code, retryAfterHeader(fault));
  else answerJson(response, status, { status, message: 'a fault was asked for' }, retryAfterHeader(fault));
};
