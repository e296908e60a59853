import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { CHANNELS, type Channel } from '#contracts/vocabulary';
import { type FaultPlan, faultSchema } from './faults.js';
import { type Exchange, Refusal, type Route, answer, answerJson, parseJson, readBody } from './http.js';
import type { Counts, Ledger, Received } from './ledger.js';
import { PAGE } from './page.js';
import type { Description } from './provider.js';
import { PROVIDERS } from './providers.js';
import type { Waiters } from './waiters.js';

/** What the JSON API and the page work with. */
export interface Backstage {
  ledgers: Readonly<Record<Channel, Ledger>>;
  faults: Readonly<Record<Channel, FaultPlan>>;
  waiters: Waiters;
  closing: AbortSignal;
  /** Ports and certificate of what does not run on this HTTP server, and the like; shown by /health. */
  about: () => Readonly<Record<string, unknown>>;
}

const EXCERPT = 160;
const CHUNK = 1_000;

const channel = z.enum(CHANNELS);
const receivedQuery = z.strictObject({
  channel: channel.optional(),
  notificationId: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
});
const channelQuery = z.strictObject({ channel: channel.optional() });
const oneChannelQuery = z.strictObject({ channel });
const waitQuery = z
  .strictObject({
    channel: channel.optional(),
    notificationId: z.string().min(1).optional(),
    count: z.coerce.number().int().min(1).optional(),
    /** What is counted: `notifications` (distinct, the default), `deliveries` (distinct), or `received`. */
    of: z.enum(['notifications', 'deliveries', 'received']).default('notifications'),
    timeoutMs: z.coerce.number().int().min(0).max(3_600_000).default(30_000),
  })
  .refine(
    (query) => query.notificationId !== undefined || query.count !== undefined,
    'count or notificationId is needed',
  );

const COUNTED = {
  notifications: 'distinctNotifications',
  deliveries: 'distinctDeliveries',
  received: 'received',
} as const satisfies Record<string, keyof Counts>;

/** The JSON API and the page. Errors are `{error, ...}`: 400 for what is asked wrongly, 404, 405, and 408 from /wait. */
export const apiRoutes = (backstage: Backstage): readonly Route[] => {
  const { ledgers, faults } = backstage;
  return [
    { method: 'GET', path: '/', handle: ({ response }) => answer(response, 200, 'text/html; charset=utf-8', PAGE) },
    {
      method: 'GET',
      path: '/health',
      handle: ({ response }) => answerJson(response, 200, { status: 'ok', sandbox: true, ...backstage.about() }),
    },
    { method: 'GET', path: '/counts', handle: ({ response }) => answerJson(response, 200, allCounts(ledgers)) },
    {
      method: 'GET',
      path: '/counts/notifications',
      handle: ({ query, response }) => streamTimes(response, ledgers[parse(oneChannelQuery, query).channel]),
    },
    { method: 'GET', path: '/received', handle: (exchange) => listReceived(exchange, backstage) },
    { method: 'GET', path: '/received/', handle: (exchange) => showReceived(exchange, backstage) },
    {
      method: 'DELETE',
      path: '/received',
      handle: ({ query, response }) => {
        for (const name of chosen(parse(channelQuery, query).channel)) ledgers[name].reset();
        answerJson(response, 200, allCounts(ledgers));
      },
    },
    { method: 'GET', path: '/wait', handle: (exchange) => wait(exchange, backstage) },
    {
      method: 'GET',
      path: '/faults',
      handle: ({ response }) =>
        answerJson(
          response,
          200,
          perChannel((name) => faults[name].list()),
        ),
    },
    { method: 'PUT', path: '/faults/', handle: (exchange) => setFaults(exchange, backstage) },
    {
      method: 'DELETE',
      path: '/faults/',
      handle: ({ rest, response }) => {
        faults[knownChannel(rest)].set([]);
        answerJson(response, 200, []);
      },
    },
  ];
};

const listReceived = async ({ query, response }: Exchange, { ledgers }: Backstage): Promise<void> => {
  const { channel: only, notificationId, limit } = parse(receivedQuery, query);
  const found = chosen(only).flatMap((name) => {
    const all = ledgers[name].newest();
    const mine: Received[] = [];
    for (const received of all) {
      if (mine.length === limit) break;
      if (notificationId === undefined || received.notificationId === notificationId) mine.push(received);
    }
    return mine;
  });
  const newest = found.sort((a, b) => b.sequence - a.sequence).slice(0, limit);
  const data = await Promise.all(newest.map(async (received) => summary(received, await describe(received))));
  answerJson(response, 200, { data });
};

const showReceived = async ({ rest, response }: Exchange, { ledgers }: Backstage): Promise<void> => {
  for (const name of CHANNELS) {
    for (const received of ledgers[name].newest()) {
      if (String(received.sequence) !== rest) continue;
      const description = await describe(received);
      const { headers } = received;
      return answerJson(response, 200, {
        ...summary(received, description),
        text: description.text,
        headers,
        content: description.content,
      });
    }
  }
  throw new Refusal(404, 'no such message, or too old to be kept');
};

const wait = async ({ query, response }: Exchange, backstage: Backstage): Promise<void> => {
  const { ledgers, waiters } = backstage;
  const { channel: only, notificationId, count = 1, of, timeoutMs } = parse(waitQuery, query);
  const watched = chosen(only).map((name) => ledgers[name]);
  const arrived = (): number =>
    watched.reduce(
      (sum, ledger) =>
        sum + (notificationId === undefined ? ledger.counts[COUNTED[of]] : ledger.deliveriesOf(notificationId)),
      0,
    );
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const signal = AbortSignal.any([backstage.closing, gone.signal]);
  const reached = await waiters.until(() => arrived() >= count, timeoutMs, signal);
  if (reached) answerJson(response, 200, { arrived: arrived(), counts: allCounts(ledgers) });
  else if (!response.destroyed)
    throw new Refusal(408, 'not arrived in time', { arrived: arrived(), counts: allCounts(ledgers) });
};

const setFaults = async ({ request, rest, response }: Exchange, { faults }: Backstage): Promise<void> => {
  const plan = faults[knownChannel(rest)];
  const result = z.array(faultSchema).safeParse(parseJson(await readBody(request)));
  if (!result.success) throw new Refusal(400, 'body is a JSON list of faults', { problems: problemsOf(result.error) });
  const problem = plan.set(result.data);
  if (problem !== null) throw new Refusal(400, problem);
  answerJson(response, 200, plan.list());
};

/** `{notificationId: {deliveryId: times}}`, in pieces, since there may be hundreds of thousands. */
const streamTimes = async (response: ServerResponse, ledger: Ledger): Promise<void> => {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
  let piece = '{';
  let entries = 0;
  for (const [id, times] of ledger.timesByNotification()) {
    piece += `${entries === 0 ? '' : ','}${JSON.stringify(id)}:${JSON.stringify(times)}`;
    if (++entries % CHUNK !== 0) continue;
    if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    if (response.destroyed) return;
    piece = '';
  }
  response.end(`${piece}}`);
};

const summary = (received: Received, { title, text }: Description): object => ({
  sequence: received.sequence,
  channel: received.channel,
  at: received.at.toISOString(),
  id: received.id,
  deliveryId: received.deliveryId,
  notificationId: received.notificationId,
  target: received.target,
  signature: received.signature,
  title,
  excerpt: text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text,
});

const descriptions = new WeakMap<Received, Promise<Description>>();

/** Each message is read once, however often the page asks. */
const describe = (received: Received): Promise<Description> => {
  let description = descriptions.get(received);
  if (description === undefined) {
    description = PROVIDERS[received.channel].describe(received);
    descriptions.set(received, description);
  }
  return description;
};

const allCounts = (ledgers: Backstage['ledgers']): Record<Channel, Readonly<Counts>> =>
  perChannel((name) => ledgers[name].counts);

/** A record over all channels. */
export const perChannel = <T>(value: (name: Channel) => T): Record<Channel, T> =>
  Object.fromEntries(CHANNELS.map((name) => [name, value(name)])) as Record<Channel, T>;

const chosen = (only: Channel | undefined): readonly Channel[] => (only === undefined ? CHANNELS : [only]);

const knownChannel = (name: string): Channel => {
  const result = channel.safeParse(name);
  if (!result.success) throw new Refusal(404, `channel is one of ${CHANNELS.join(', ')}`);
  return result.data;
};

const parse = <T extends z.ZodType>(schema: T, query: string): z.output<T> => {
  const result = schema.safeParse(Object.fromEntries(new URLSearchParams(query)));
  if (!result.success) throw new Refusal(400, 'query is wrong', { problems: problemsOf(result.error) });
  return result.data;
};

const problemsOf = (error: z.ZodError): string[] =>
  error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
