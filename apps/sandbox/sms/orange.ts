import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { play } from '../faults.js';
import { httpMoment, retryAfterHeader } from '../http-moment.js';
import { type Exchange, type Route, answerJson, parseJson, readBody } from '../http.js';
import type { Stage } from '../provider.js';
import { answerOrangeError, answerOrangeFault, answerOrangeStatus, answerTokenRefusal } from './orange-answers.js';
import { notificationOf } from './delivery.js';
import type { ReceiptSender } from './receipts.js';

const SEND = /^tel(?::|%3A)(?:\+|%2B)\d+\/requests$/i;
const MINUTE_MS = 60_000;

/** As `POST .../requests` takes it. https://developer.orange.com/apis/sms/getting-started */
export const OrangeRequest = z.object({
  outboundSMSMessageRequest: z.object({
    address: z.string(),
    senderAddress: z.string().regex(/^tel:\+\d+$/),
    senderName: z.string().min(1).max(11).optional(),
    outboundSMSTextMessage: z.object({ message: z.string().min(1) }),
    clientCorrelator: z.string().optional(),
  }),
});
const ADDRESS = /^tel:(\+[1-9]\d{7,14})$/;

/** Tokens, and the SMS that are sent with them; what is repeated under one `clientCorrelator` is one SMS. */
export const orangeRoutes = (stage: Stage, receipts: ReceiptSender): readonly Route[] => {
  const tokens = new Tokens(stage);
  return [
    { method: 'POST', path: '/oauth/v3/token', handle: (exchange) => tokens.give(exchange) },
    {
      method: 'POST',
      path: '/smsmessaging/v1/outbound/',
      handle: (exchange) => send(exchange, stage, tokens, receipts),
    },
  ];
};

class Tokens {
  private readonly endings = new Map<string, number>();
  private minute = 0;
  private given = 0;

  constructor(private readonly stage: Stage) {}

  isGood(authorization: string | undefined): boolean {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    return token !== undefined && (this.endings.get(token) ?? 0) > Date.now();
  }

  async give(exchange: Exchange): Promise<void> {
    const { request, response } = exchange;
    const form = new URLSearchParams((await readBody(request)).toString());
    if (!/^Basic \S+$/.test(request.headers.authorization ?? '')) return answerTokenRefusal(response, 401);
    if (form.get('grant_type') !== 'client_credentials') return answerTokenRefusal(response, 400);
    const { faults, closing } = this.stage;
    const fault = faults.strike('auth', exchange.path, 'orange');
    if ((fault === null || fault.kind === 'latency') && !this.hasRoom()) return answerTokenRefusal(response, 429);
    const moment = httpMoment(exchange, {
      record: () => undefined,
      accept: () => answerJson(response, 200, this.issue()),
      refuse: (struck) => answerTokenRefusal(response, struck.status ?? 500, retryAfterHeader(struck)),
    });
    return play(fault, moment, closing);
  }

  private issue(): object {
    const lifeS = this.stage.settings.SANDBOX_SMS_TOKEN_LIFE_S;
    const token = `sandbox-orange-${randomUUID()}`;
    this.endings.set(token, Date.now() + lifeS * 1000);
    return { token_type: 'Bearer', access_token: token, expires_in: lifeS };
  }

  /** Counts the request. */
  private hasRoom(): boolean {
    const limit = this.stage.settings.SANDBOX_SMS_TOKENS_PER_MINUTE;
    const minute = Math.floor(Date.now() / MINUTE_MS);
    if (minute !== this.minute) Object.assign(this, { minute, given: 0 });
    this.given += 1;
    return limit === 0 || this.given <= limit;
  }
}

const send = async (exchange: Exchange, stage: Stage, tokens: Tokens, receipts: ReceiptSender): Promise<void> => {
  const { request, response, rest, path } = exchange;
  const raw = await readBody(request);
  if (!SEND.test(rest)) return answerOrangeStatus(response, 404);
  if (!tokens.isGood(request.headers.authorization)) return answerOrangeStatus(response, 401);
  const parsed = OrangeRequest.safeParse(parseJson(raw));
  if (!parsed.success) return answerOrangeError(response, 'SVC0002', parsed.error.issues[0]?.path.join('.') ?? '');
  const message = parsed.data.outboundSMSMessageRequest;
  const target = ADDRESS.exec(message.address)?.[1];
  if (target === undefined) return answerOrangeError(response, 'SVC0004', 'address');
  const { clientCorrelator } = message;
  const id = clientCorrelator === undefined ? randomUUID() : resourceOf(clientCorrelator);
  const resourceURL = `http://${request.headers.host ?? ''}${path}/${id}`;
  const moment = httpMoment(exchange, {
    record: () =>
      stage.ledger.record({
        id,
        deliveryId: clientCorrelator ?? null,
        notificationId: notificationOf(clientCorrelator ?? null),
        target,
        signature: null,
        headers: request.headers,
        raw,
      }),
    accept: () => {
      answerJson(response, 201, {
        outboundSMSMessageRequest: { ...message, address: [message.address], resourceURL },
      });
      receipts.orange(id, message.address);
    },
    refuse: (fault) => answerOrangeFault(response, fault),
  });
  return play(stage.faults.strike('send', target, 'orange'), moment, stage.closing);
};

/** The same for the same correlator. */
const resourceOf = (correlator: string): string =>
  createHash('sha256')
    .update(correlator)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
