import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Signature } from '../ledger.js';

const TOLERANCE_SECONDS = 5 * 60;

/** `whsec_...` as the key it stands for. */
export const keyOf = (secret: string): Buffer => Buffer.from(secret.replace(/^whsec_/, ''), 'base64');

/** Checks a request by https://www.standardwebhooks.com: any of the signatures sent, by any of the keys. */
export const checkSignature = (
  headers: IncomingHttpHeaders,
  body: Buffer,
  keys: readonly Buffer[],
  nowMs: number,
): Signature => {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return 'absent';
  if (keys.length === 0) return 'unchecked';
  if (!(Math.abs(nowMs / 1_000 - Number(timestamp)) <= TOLERANCE_SECONDS)) return 'invalid';
  const sent = signatures
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice('v1,'.length), 'base64'));
  const right = keys.some((key) => {
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
    return sent.some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
  });
  return right ? 'valid' : 'invalid';
};
