import { createHash } from 'node:crypto';

/** JSON with the members of each object in order of their names, so that equal content is equal text. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  );
};

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Digest of the fields that a caller sent; the order of members does not count. */
export const fingerprint = (sent: unknown): string => digest(JSON.stringify(canonical(sent)) ?? '');

/** What an idempotency key is unique within. `operation` holds its path ids. */
export const idempotencyScope = (owner: string, serviceName: string | null, operation: string, key: string): string =>
  digest(JSON.stringify([owner, serviceName, operation, key]));

/** Digest of an address, where one has to be counted and not kept. */
export const addressDigest = (address: string): string => digest(address).slice(0, 22);
