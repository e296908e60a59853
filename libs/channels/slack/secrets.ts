import { ServiceName } from '#contracts/http/primitives';
import { isWebhookName } from '#domain/channels/slack';

/** Bot tokens by service; that under `*` is for services that have none of their own. */
export type BotTokens = ReadonlyMap<string, string>;

/** URLs of incoming webhooks by service and name, as `service/name`; those under `*` are for every service. */
export type Webhooks = ReadonlyMap<string, string>;

/** Bot and user tokens, also those that rotate. https://docs.slack.dev/authentication/tokens */
const TOKEN = /^xox[a-z](\.xox[a-z])?-[A-Za-z0-9-]+$/;

const isService = (name: string): boolean => name === '*' || ServiceName.safeParse(name).success;

/** A secret is its own whole address, so a user, a password or a fragment is a mistake. */
const isWebhookUrl = (text: string): boolean => {
  const url = /^https?:\/\/[^\s#@]+$/.test(text) ? URL.parse(text) : null;
  return url !== null && url.pathname !== '/';
};

/** Reads `name=secret;name=secret`, each name once. Null where the text is not so. */
const parseNamed = (
  text: string,
  isName: (name: string) => boolean,
  isSecret: (secret: string) => boolean,
): ReadonlyMap<string, string> | null => {
  const named = new Map<string, string>();
  for (const part of text.split(';')) {
    if (part.trim() === '') continue;
    const [name = '', ...rest] = part.split('=').map((piece) => piece.trim());
    const secret = rest.join('=');
    if (named.has(name) || !isName(name) || !isSecret(secret)) return null;
    named.set(name, secret);
  }
  return named;
};

/** Reads `service=xoxb-a;*=xoxb-b`. Null where the text is not so. */
export const parseBotTokens = (text: string): BotTokens | null =>
  parseNamed(text, isService, (secret) => TOKEN.test(secret));

/** Reads `service/name=https://…;*\/name=https://…`. Null where the text is not so. */
export const parseWebhooks = (text: string): Webhooks | null =>
  parseNamed(
    text,
    (name) => {
      const [service = '', webhook = '', ...more] = name.split('/');
      return more.length === 0 && isService(service) && isWebhookName(webhook);
    },
    isWebhookUrl,
  );

export const botTokenOf = (tokens: BotTokens, service: string): string | null =>
  tokens.get(service) ?? tokens.get('*') ?? null;

export const webhookUrlOf = (webhooks: Webhooks, service: string, name: string): string | null =>
  webhooks.get(`${service}/${name}`) ?? webhooks.get(`*/${name}`) ?? null;
