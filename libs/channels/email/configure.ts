import { readFileSync } from 'node:fs';
import type { SMTPPoolOptions } from 'nodemailer/lib/smtp-pool';
import { InvalidSettings } from '#config/settings';
import { normaliseAddress } from '#domain/channels/email';
import type { ProviderParts } from '#domain/providers';
import type { ChannelSender } from '#domain/sender';
import { FailoverSender } from '../providers/failover.js';
import { ordersOf, type ProviderSettings } from '../providers/settings.js';
import { UnconfiguredSender } from '../unconfigured.js';
import type { Sender } from './message.js';
import type { EmailSettings } from './settings.js';
import { Smtp } from './smtp.js';

interface Server {
  host: string;
  port: number | undefined;
  secure: boolean;
  user: string | undefined;
  password: string | undefined;
}

const fromUrl = (text: string): Server => {
  const { hostname, port, protocol, username, password } = new URL(text);
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? undefined : Number(port),
    secure: protocol === 'smtps:',
    user: username === '' ? undefined : decodeURIComponent(username),
    password: username === '' ? undefined : decodeURIComponent(password),
  };
};

const serverOf = (settings: EmailSettings): Server => {
  const { SMTP_URL: url, SMTP_HOST: host } = settings;
  if (url !== undefined && host !== undefined)
    throw new InvalidSettings(['SMTP_URL and SMTP_HOST: only one of them may be set']);
  if (url !== undefined) return fromUrl(url);
  if (host === undefined) throw new InvalidSettings(['SMTP_URL or SMTP_HOST is required with EMAIL_FROM']);
  const { SMTP_PORT: port, SMTP_SECURE: secure, SMTP_USER: user, SMTP_PASSWORD: password } = settings;
  if ((user === undefined) !== (password === undefined)) {
    throw new InvalidSettings(['SMTP_USER and SMTP_PASSWORD must be set both or neither']);
  }
  return { host, port, secure, user, password };
};

const senderOf = (from: string, messageIdDomain: string | undefined): Sender => {
  const [, name = '', bracketed] = /^([^<>]*)<([^<>]+)>\s*$/.exec(from) ?? [];
  const address = normaliseAddress((bracketed ?? from).trim());
  if (address === null || /\p{Cc}/u.test(name)) {
    throw new InvalidSettings(['EMAIL_FROM must be an address, or a name and an address in angle brackets']);
  }
  const plain = name.trim().replace(/^"(.*)"$/, '$1');
  return {
    name: plain === '' ? null : plain,
    address,
    messageIdDomain: messageIdDomain ?? address.slice(address.lastIndexOf('@') + 1),
  };
};

const readAuthorities = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new InvalidSettings(['SMTP_TLS_CA_FILE must be the path of a file that can be read']);
  }
};

const smtpOptions = (settings: EmailSettings, { host, port, secure, user, password }: Server): SMTPPoolOptions => {
  const ca = settings.SMTP_TLS_CA_FILE;
  return {
    host,
    ...(port !== undefined && { port }),
    secure,
    ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
    requireTLS: settings.SMTP_REQUIRE_TLS,
    ignoreTLS: settings.SMTP_IGNORE_TLS,
    tls: {
      rejectUnauthorized: settings.SMTP_TLS_REJECT_UNAUTHORIZED,
      ...(ca !== undefined && { ca: readAuthorities(ca) }),
    },
    maxMessages: settings.SMTP_MESSAGES_PER_CONNECTION,
    connectionTimeout: settings.SMTP_TIMEOUT_MS,
    greetingTimeout: settings.SMTP_TIMEOUT_MS,
    // Waiting for an answer is limited by the deadline of each e-mail; this is for what nobody waits for any more.
    socketTimeout: 2 * settings.SMTP_TIMEOUT_MS,
  };
};

/** @throws InvalidSettings if what is set does not fit together */
export const configureEmail = (settings: EmailSettings & ProviderSettings, parts: ProviderParts): ChannelSender => {
  if (settings.EMAIL_FROM === undefined) return new UnconfiguredSender('email');
  const sender = senderOf(settings.EMAIL_FROM, settings.EMAIL_MESSAGE_ID_DOMAIN);
  const connections = settings.SMTP_POOL_SIZE;
  const first = new Smtp({ name: 'smtp', sender, smtp: smtpOptions(settings, serverOf(settings)), connections });
  const { SMTP_BACKUP_URL: url } = settings;
  const backups =
    url === undefined
      ? []
      : [new Smtp({ name: 'smtp-backup', sender, smtp: smtpOptions(settings, fromUrl(url)), connections })];
  const all = [first, ...backups];
  const { orders, problems } = ordersOf(
    settings.PROVIDERS_BY_SERVICE,
    'email',
    all.map(({ name }) => name),
  );
  if (problems.length > 0) throw new InvalidSettings(problems);
  return new FailoverSender({
    channel: 'email',
    providers: [first, ...backups],
    orders,
    concurrency: connections,
    timeoutMs: settings.SMTP_TIMEOUT_MS,
    halfOpenMs: settings.PROVIDER_HALF_OPEN_MS,
    parts,
    close: () => {
      for (const one of all) one.close();
      return Promise.resolve();
    },
  });
};
