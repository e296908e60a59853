import { ServiceName } from '#contracts/http/primitives';

/** Keys to sign with, by service; those under `*` are for services that have none of their own. Two while they are being changed. */
export type SigningKeys = ReadonlyMap<string, readonly Buffer[]>;

const PREFIX = 'whsec_';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Standard Webhooks: `whsec_` and the base64 of 24 to 64 random bytes. */
const parseSecret = (secret: string): Buffer | null => {
  const base64 = secret.slice(PREFIX.length);
  if (!secret.startsWith(PREFIX) || !BASE64.test(base64)) return null;
  const key = Buffer.from(base64, 'base64');
  return key.length >= 24 && key.length <= 64 ? key : null;
};

/** Reads `service=whsec_a|whsec_b;*=whsec_c`. Null where the text is not so. */
export const parseSigningKeys = (text: string): SigningKeys | null => {
  const keys = new Map<string, readonly Buffer[]>();
  for (const part of text.split(';').map((piece) => piece.trim())) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const service = part.slice(0, equals).trim();
    const secrets = part
      .slice(equals + 1)
      .split('|')
      .map((secret) => parseSecret(secret.trim()));
    const good = secrets.filter((secret) => secret !== null);
    if (equals < 1 || good.length < secrets.length || keys.has(service)) return null;
    if (service !== '*' && !ServiceName.safeParse(service).success) return null;
    keys.set(service, good);
  }
  return keys;
};

export const keysOf = (keys: SigningKeys, service: string): readonly Buffer[] =>
  keys.get(service) ?? keys.get('*') ?? [];
