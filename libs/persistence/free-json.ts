/**
 * JSON that callers hand through. Stored as it is, so that people can read and query it; as text where BSON or MongoDB
 * would give a member's name a meaning of their own, or refuse it.
 */
export type FreeJson = Record<string, unknown> | string;

const isRisky = (name: string): boolean =>
  name.startsWith('$') || name.includes('.') || name.includes('\0') || name === '_bsontype' || name === '__proto__';

const hasRiskyName = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasRiskyName);
  return Object.entries(value).some(([name, inner]) => isRisky(name) || hasRiskyName(inner));
};

export const packJson = (value: Record<string, unknown>): FreeJson =>
  hasRiskyName(value) ? JSON.stringify(value) : value;

export const unpackJson = (stored: FreeJson | undefined): Record<string, unknown> =>
  typeof stored === 'string' ? (JSON.parse(stored) as Record<string, unknown>) : (stored ?? {});
