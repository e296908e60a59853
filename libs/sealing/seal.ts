import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** AES-256-GCM under a key that is derived from a secret that is stored elsewhere, or nowhere. */
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What is sealed. Each has a key of its own; the words are part of it, and stay. */
export type Purpose = 'carillon kept answer' | 'carillon access token';

const keyFrom = (secret: string, purpose: Purpose): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32));

/** JSON that only the holder of the secret can read again. */
export const seal = (value: unknown, secret: string, purpose: Purpose): { sealed: string } => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, keyFrom(secret, purpose), nonce);
  const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
  return { sealed: Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64') };
};

/** @throws when it was sealed under another secret or for another purpose, or changed since */
export const unseal = (kept: unknown, secret: string, purpose: Purpose): unknown => {
  const bytes = Buffer.from((kept as { sealed: string }).sealed, 'base64');
  const decipher = createDecipheriv(ALGORITHM, keyFrom(secret, purpose), bytes.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  return JSON.parse(text.toString('utf8')) as unknown;
};
