import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * An API key on the wire: `car_<id>_<secret>`, the id of 24 hex digits, the secret of 256 random bits in base64url.
 * Only the SHA-256 of the secret is kept; that many random bits need no slow hash.
 */
const FORM = /^car_([0-9a-f]{24})_([A-Za-z0-9_-]{43})$/;

export const newKeyId = (): string => randomBytes(12).toString('hex');
export const newSecret = (): string => randomBytes(32).toString('base64url');
export const formatKey = (id: string, secret: string): string => `car_${id}_${secret}`;

export const parseKey = (presented: string): { id: string; secret: string } | null => {
  const [, id, secret] = FORM.exec(presented) ?? [];
  return id === undefined || secret === undefined ? null : { id, secret };
};

/** SHA-256, hex. */
export const hashSecret = (secret: string): string => hash('sha256', secret, 'hex');

/** In a time that tells nothing of where the two differ. */
export const matchesHash = (secret: string, expected: Buffer): boolean => {
  const actual = Buffer.from(hash('sha256', secret, 'hex'), 'hex');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
};
