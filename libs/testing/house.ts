import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { CreateNotificationInput, NotificationBody } from '#contracts/http/notification';
import { type AppProcess, freePort, ROOT, runApp, startApp } from './processes.js';
import { createVhost, type TestVhost } from './rabbitmq.js';

export type PlatformApp = 'notification-api' | 'dispatcher' | 'scheduler';

/** Every app of the platform as real processes, on databases, a virtual host and ports of their own. */
export interface House {
  readonly gateways: AppProcess[];
  readonly dispatchers: AppProcess[];
  readonly schedulers: AppProcess[];
  readonly sandbox: AppProcess;
  /** A key with all scopes and services. */
  readonly key: string;
  readonly vhost: TestVhost;
  readonly env: Record<string, string>;
  /** Starts one more, or one in the place of one that ended. */
  start(app: PlatformApp, name: string, port?: number, over?: Record<string, string>): Promise<AppProcess>;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  stop(): Promise<void>;
}

export interface CallOptions {
  body?: unknown;
  headers?: Record<string, string>;
  key?: string | null;
  /** Which gateway; the first unless said otherwise. */
  gateway?: number;
}
export interface Answer<T = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: T;
}

export interface HouseOptions {
  gateways?: number;
  dispatchers?: number;
  schedulers?: number;
  env?: Record<string, string>;
  /** Servers other than those of the environment. */
  servers?: { MONGODB_URI: string };
  name?: string;
  /** Arguments of node itself for these apps. */
  execArgv?: Partial<Record<PlatformApp, readonly string[]>>;
  /** Names of images to run instead of what is built in the checkout. */
  imageOf?: (app: string) => string;
}

const required = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is required: eval "$(scripts/infra.sh env)"`);
  return value;
};

/** Of this process alone. */
export const WEBHOOK_SECRET = `whsec_${randomBytes(24).toString('base64')}`;

export const RECEIPT_TOKEN = randomBytes(24).toString('base64url');
export const TWILIO_AUTH_TOKEN = randomBytes(16).toString('hex');
const INBOX_SECRET = randomBytes(32).toString('hex');

export const startHouse = async (options: HouseOptions = {}): Promise<House> => {
  const name = `${options.name ?? 'house'}-${randomBytes(4).toString('hex')}`;
  const vhost = await createVhost();
  const sandboxPort = await freePort();
  const smtpPort = await freePort();
  const logs = join(ROOT, '.carillon', 'houses', name);
  const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
  const env: Record<string, string> = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'info',
    MONGODB_URI: options.servers?.MONGODB_URI ?? required('MONGODB_URI'),
    RABBITMQ_URI: vhost.uri,
    CARILLON_DATABASE_PREFIX: `${name.replaceAll('-', '_')}_`,
    NOTIFICATION_API_HOST: '127.0.0.1',
    DISPATCHER_HOST: '127.0.0.1',
    SCHEDULER_HOST: '127.0.0.1',
    SANDBOX_PORT: String(sandboxPort),
    SANDBOX_SMTP_PORT: String(smtpPort),
    SANDBOX_WEBHOOK_SECRETS: WEBHOOK_SECRET,
    ...HIGH_LIMITS,
    ...providerSettings(sandboxUrl, smtpPort),
    ...options.env,
  };
  const processes: AppProcess[] = [];
  const start: House['start'] = async (app, processName, port, over = {}) => {
    const own = port ?? (await freePort());
    const variable = {
      'notification-api': 'NOTIFICATION_API_PORT',
      dispatcher: 'DISPATCHER_PORT',
      scheduler: 'SCHEDULER_PORT',
    }[app];
    const started = await startApp({
      app,
      name: processName,
      port: own,
      env: { ...env, ...over, [variable]: String(own) },
      logs,
      ready: '/health/ready',
      execArgv: options.execArgv?.[app] ?? [],
      image: options.imageOf?.(app),
    });
    processes.push(started);
    return started;
  };
  try {
    const sandbox = await startApp({
      app: 'sandbox',
      name: 'sandbox',
      port: sandboxPort,
      env,
      logs,
      ready: '/health',
      image: options.imageOf?.('sandbox'),
    });
    processes.push(sandbox);
    await runApp('scheduler', ['create-indexes'], env, options.imageOf?.('scheduler'));
    const made = JSON.parse(
      await runApp(
        'notification-api',
        ['create-key', '--owner', 'tests', '--scopes', 'all', '--services', 'all', '--json'],
        env,
        options.imageOf?.('notification-api'),
      ),
    ) as { key: string };
    const many = (app: PlatformApp, count: number): Promise<AppProcess[]> =>
      Promise.all(Array.from({ length: count }, (_, index) => start(app, `${app}-${index + 1}`)));
    const gateways = await many('notification-api', options.gateways ?? 1);
    const dispatchers = await many('dispatcher', options.dispatchers ?? 1);
    const schedulers = await many('scheduler', options.schedulers ?? 1);
    return {
      gateways,
      dispatchers,
      schedulers,
      sandbox,
      key: made.key,
      vhost,
      env,
      start,
      call: (method, path, call = {}) => request(gateways[call.gateway ?? 0]?.url ?? '', made.key, method, path, call),
      async stop() {
        // The scheduler and the gateways before what they feed; the sandbox last.
        for (const running of processes.toReversed()) if (running.running && running !== sandbox) await running.stop();
        await sandbox.stop();
        await vhost.drop();
      },
    };
  } catch (error) {
    await Promise.all(processes.map((running) => running.kill()));
    await vhost.drop();
    throw error;
  }
};

/** Limits that are at work, and that nobody meets. */
const HIGH_LIMITS = {
  CHANNEL_LIMITS: 'email=token-bucket:1000000/1,sms=fixed-window:1000000/1,slack=token-bucket:1000000/1',
  ORANGE_LIMIT_PER_SECOND: '10000',
};

/** The real clients of every channel, pointed at the sandbox. */
export const providerSettings = (sandboxUrl: string, smtpPort: number): Record<string, string> => ({
  FCM_ENDPOINT: sandboxUrl,
  FCM_PROJECT_ID: 'sandbox',
  FCM_ACCESS_TOKEN: 'sandbox',
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: String(smtpPort),
  SMTP_USER: 'carillon',
  SMTP_PASSWORD: 'carillon',
  SMTP_TLS_REJECT_UNAUTHORIZED: 'false',
  EMAIL_FROM: 'Carillon <carillon@example.org>',
  SMS_PROVIDERS: 'orange,twilio',
  ORANGE_BASE_URL: sandboxUrl,
  ORANGE_CLIENT_ID: 'sandbox',
  ORANGE_CLIENT_SECRET: 'sandbox',
  ORANGE_SENDER_ADDRESS: '+2250000',
  ORANGE_RECEIPT_TOKENS: RECEIPT_TOKEN,
  TWILIO_BASE_URL: sandboxUrl,
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN,
  TWILIO_FROM: '+15005550006',
  SMS_RECEIPTS_URL: 'https://notify.example.org',
  WEBHOOK_SECRETS: `*=${WEBHOOK_SECRET}`,
  EGRESS_ALLOW: '*=127.0.0.1/32',
  SLACK_API_URL: `${sandboxUrl}/api/`,
  SLACK_TOKENS: '*=xoxb-sandbox',
  INBOX_TOKEN_SECRET: INBOX_SECRET,
});

const request = async (
  base: string,
  key: string,
  method: string,
  path: string,
  options: CallOptions,
): Promise<Answer> => {
  const own = options.key === undefined ? key : options.key;
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      ...(own === null ? {} : { authorization: `Bearer ${own}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined
      ? {}
      : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
  };
};

/** Sends one and expects it to be accepted. */
export const send = async (
  house: House,
  input: CreateNotificationInput,
  headers: Record<string, string> = {},
): Promise<NotificationBody> => {
  const answer = await house.call('POST', '/api/notifications', { body: input, headers });
  if (answer.status !== 202) throw new Error(`not accepted: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as unknown as NotificationBody;
};

/** Asks until the notification is as wanted. @throws Error with what it was last */
export const until = async (
  house: House,
  id: string,
  wanted: (notification: NotificationBody) => boolean,
  timeoutMs = 30_000,
): Promise<NotificationBody> => {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const { body } = await house.call('GET', `/api/notifications/${id}`);
    const notification = body as unknown as NotificationBody;
    if (wanted(notification)) return notification;
    if (performance.now() > end) throw new Error(`${id} stayed as it was: ${JSON.stringify(notification)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};

/** Waits for the sandbox to have received something. */
export const received = async (house: House, query: string): Promise<Record<string, unknown>> => {
  const response = await fetch(`${house.sandbox.url}/wait?${query}`);
  return (await response.json()) as Record<string, unknown>;
};
