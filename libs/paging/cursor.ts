import { createHash } from 'node:crypto';
import { z } from 'zod';
import { InvalidCursor } from '#domain/errors';

/** A place in a list that is ordered newest first, by (createdAt, id). */
export interface TimePlace {
  createdAt: Date;
  id: string;
}

const LAST_DATE_MS = 8_640_000_000_000_000;
/** Of a notification, or of a delivery of one. */
const PlaceId = z.string().regex(/^[0-9a-f]{24}(-[0-9]{1,2})?$/);
const TimePlaceSchema = z.tuple([z.int().min(0).max(LAST_DATE_MS), PlaceId]);
const IndexSchema = z.tuple([z.int().min(0)]);

/** Digest of what a cursor is bound to: the list and its filters, whatever the order of their names. */
const bindingOf = (list: string, filters: Readonly<Record<string, unknown>>): string => {
  const named = Object.entries(filters)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([list, named]))
    .digest('base64url')
    .slice(0, 16);
};

const encode = (binding: string, place: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify([binding, ...place])).toString('base64url');

const parse = (cursor: string): unknown[] => {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
};

/** The cursors of one list under one set of filters: opaque, and refused under any other. */
export class Cursors {
  private readonly binding: string;

  /** @param list name of the list, with the ids of its path */
  constructor(list: string, filters: Readonly<Record<string, unknown>>) {
    this.binding = bindingOf(list, filters);
  }

  ofTime(place: TimePlace): string {
    return encode(this.binding, [place.createdAt.getTime(), place.id]);
  }

  ofIndex(index: number): string {
    return encode(this.binding, [index]);
  }

  /** @throws InvalidCursor when this list did not give it under these filters */
  time(cursor: string | undefined): TimePlace | null {
    if (cursor === undefined) return null;
    const [milliseconds, id] = this.read(cursor, TimePlaceSchema);
    return { createdAt: new Date(milliseconds), id };
  }

  /** @throws InvalidCursor when this list did not give it under these filters */
  index(cursor: string | undefined): number | null {
    return cursor === undefined ? null : this.read(cursor, IndexSchema)[0];
  }

  private read<T extends z.ZodType>(cursor: string, schema: T): z.output<T> {
    const [binding, ...place] = parse(cursor);
    const result = schema.safeParse(place);
    if (binding !== this.binding || !result.success) throw new InvalidCursor();
    return result.data;
  }
}

export interface Page<T> {
  data: T[];
  page: { limit: number; hasMore: boolean; nextCursor: string | null };
}

/**
 * One page of rows that were read with a limit of one more.
 * @param cursorOf the cursor that goes on after a row
 */
export const pageOf = <T>(rows: readonly T[], limit: number, cursorOf: (last: T) => string): Page<T> => {
  const data = rows.slice(0, limit);
  const hasMore = rows.length > limit;
  const last = data.at(-1);
  return { data, page: { limit, hasMore, nextCursor: hasMore && last !== undefined ? cursorOf(last) : null } };
};
