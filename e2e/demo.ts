import { parseArgs } from 'node:util';
import type { NotificationBody } from '#contracts/http/notification';
import { CHANNELS, type Channel } from '#contracts/vocabulary';

/** Sends one notification by each channel through the public API, and shows each one arriving at its provider. */

const { values } = parseArgs({
  options: {
    api: { type: 'string' },
    sandbox: { type: 'string' },
    'key-env': { type: 'string', default: 'CARILLON_API_KEY' },
  },
});
const required = (name: string, value: string | undefined): string => {
  if (value === undefined || value === '') throw new Error(`${name} is required`);
  return value;
};
const api = required('--api', values.api);
const sandbox = required('--sandbox', values.sandbox);
const key = required(`the environment variable ${values['key-env']}`, process.env[values['key-env']]);

const SERVICE = 'diabetes';
const USER = 'demo-ada';
/** One for each channel: a user gets ten in a minute, and a demonstration may be repeated. */
const userOf = (channel: Channel): string => (channel === 'in-app' ? USER : `${USER}-${channel}`);
const TARGETS: Record<Channel, string> = {
  push: 'demo-device-token-of-ada-0123456789',
  email: 'ada@example.org',
  sms: '+2250707123456',
  webhook: `${sandbox}/webhook/demo`,
  slack: '#reminders-of-ada',
  'in-app': USER,
};
const ARRIVAL_MS = 20_000;

const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T;
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer;
};

interface Row {
  channel: Channel;
  id: string;
  state: string;
  ms: string;
  problem: string | null;
}

const demonstrate = async (channel: Channel): Promise<Row> => {
  const started = performance.now();
  const accepted = await call<NotificationBody>('POST', '/api/notifications', {
    serviceName: SERVICE,
    userId: userOf(channel),
    channel,
    // The push goes to the device that was registered.
    ...(channel === 'push' ? {} : { to: TARGETS[channel] }),
    type: 'reminder',
    title: 'Insulin',
    body: 'Time for your 8:00 dose',
  });
  const hasArrived = await (channel === 'in-app' ? isInInbox(accepted.id) : isAtProvider(accepted.id));
  const arrived = Math.round(performance.now() - started);
  const shown = await settled(accepted.id);
  return {
    channel,
    id: accepted.id,
    state: shown.state,
    ms: hasArrived ? String(arrived) : '-',
    problem: hasArrived
      ? shown.state === 'sent'
        ? null
        : `arrived, but stands at ${shown.state}`
      : `did not arrive at its provider within ${ARRIVAL_MS / 1000} s: ${shown.lastError?.message ?? `it is ${shown.state}`}`,
  };
};

const isAtProvider = async (id: string): Promise<boolean> =>
  (await fetch(`${sandbox}/wait?notificationId=${id}&timeoutMs=${ARRIVAL_MS}`)).ok;

/** Reads the inbox as the user's own page does. */
const isInInbox = async (id: string): Promise<boolean> => {
  const { token } = await call<{ token: string }>('POST', '/api/inbox/tokens', { serviceName: SERVICE, userId: USER });
  const end = performance.now() + ARRIVAL_MS;
  while (performance.now() < end) {
    const response = await fetch(`${api}/api/inbox`, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`GET /api/inbox answered ${response.status}: ${await response.text()}`);
    const { data } = (await response.json()) as { data: { notificationId: string }[] };
    if (data.some(({ notificationId }) => notificationId === id)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
};

/** The record of a delivery follows its arrival by a moment. */
const settled = async (id: string): Promise<NotificationBody> => {
  const end = performance.now() + 5_000;
  for (;;) {
    const shown = await call<NotificationBody>('GET', `/api/notifications/${id}`);
    if (shown.final || performance.now() > end) return shown;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

await call('POST', `/api/services/${SERVICE}/recipients/${userOf('push')}/devices`, {
  token: TARGETS.push,
  platform: 'android',
});
const rows: Row[] = [];
for (const channel of CHANNELS) rows.push(await demonstrate(channel));

const line = (channel: string, id: string, state: string, ms: string): string =>
  `${channel.padEnd(10)}${id.padEnd(28)}${state.padEnd(12)}${ms.padStart(6)}`;
console.log(line('channel', 'id', 'state', 'ms'));
for (const { channel, id, state, ms } of rows) console.log(line(channel, id, state, ms));
const failed = rows.filter(({ problem }) => problem !== null);
for (const { channel, problem } of failed) console.error(`${channel}: ${problem ?? ''}`);
process.exitCode = failed.length === 0 ? 0 : 1;
