import { z } from 'zod';

/** Pieces that several bodies share. Messages are for the person who sent the value, and never repeat it. */

export const Id = z.string().regex(/^[0-9a-f]{24}$/, 'must be 24 hex digits');
export const Time = z.iso.datetime({
  offset: true,
  error: 'must be an RFC 3339 time with an offset, such as 2026-11-21T08:00:00Z',
});
/** A time as this API writes it: UTC with milliseconds. */
export const OutTime = z.string().meta({ format: 'date-time', examples: ['2026-11-21T08:00:00.000Z'] });
export const NullableTime = OutTime.nullable();

export const UserId = z
  .string()
  .regex(/^[A-Za-z0-9._:@-]{1,128}$/, 'must be 1 to 128 of the characters A-Z a-z 0-9 . _ : @ -')
  .meta({ examples: ['p-1042'] });
export const Reference = z.string().min(1).max(255);
export const ServiceName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,37}$/, 'must be the name of a configured service')
  .meta({ examples: ['diabetes'] });
export const TenantId = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,64}$/, 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ : -');
export const Note = z.string().min(1).max(1000);

/** `Idempotency-Key`: 1 to 255 visible ASCII characters. */
export const IdempotencyKey = z.string().regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters');

const JSON_DEPTH = 32;
const depthWithin = (value: unknown, depth: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every((inner) => depthWithin(inner, depth - 1)));

/** Free JSON that the caller hands through: to the receiver (`data`) or to nobody (`metadata`). */
export const JsonObject = z
  .record(z.string().min(1).max(128), z.unknown())
  .refine((value) => Object.keys(value).length <= 100, 'must have at most 100 members')
  .refine((value) => depthWithin(value, JSON_DEPTH), `must be at most ${JSON_DEPTH} levels deep`);
