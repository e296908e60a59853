import { describe, expect, it } from '@jest/globals';
import { InvalidCursor } from '#domain/errors';
import { Cursors, pageOf } from './cursor.js';

const place = { createdAt: new Date('2026-11-21T08:00:00.123Z'), id: 'a'.repeat(24) };
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('Cursors', () => {
  const cursors = new Cursors('things', { state: ['sent'], userId: 'p-1', tenantId: undefined });

  it('give back the place they were made of', () => {
    expect(cursors.time(cursors.ofTime(place))).toEqual(place);
    expect(cursors.index(cursors.ofIndex(17))).toBe(17);
    expect(cursors.time(undefined)).toBeNull();
    expect(cursors.index(undefined)).toBeNull();
  });

  it('do not mind the order of filters, nor those that are left out', () => {
    const same = new Cursors('things', { userId: 'p-1', state: ['sent'] });
    expect(same.time(cursors.ofTime(place))).toEqual(place);
  });

  it.each([
    ['another list', new Cursors('others', { state: ['sent'], userId: 'p-1' })],
    ['other filters', new Cursors('things', { state: ['failed'], userId: 'p-1' })],
    ['fewer filters', new Cursors('things', { userId: 'p-1' })],
  ])('are refused under %s', (_what, other) => {
    expect(() => other.time(cursors.ofTime(place))).toThrow(InvalidCursor);
  });

  it('are refused when they are none, or of another kind', () => {
    const [binding] = JSON.parse(Buffer.from(cursors.ofIndex(1), 'base64url').toString()) as [string];
    for (const cursor of ['', 'x', '%%%', encoded('text'), encoded({}), encoded([binding]), cursors.ofIndex(1)])
      expect(() => cursors.time(cursor)).toThrow(InvalidCursor);
    for (const bad of [
      [binding, -1, place.id],
      [binding, 1e300, place.id],
      [binding, 1, 'x'],
      [binding, 1, place.id, 2],
    ])
      expect(() => cursors.time(encoded(bad))).toThrow(InvalidCursor);
    expect(() => cursors.index(cursors.ofTime(place))).toThrow(InvalidCursor);
  });
});

describe('pageOf', () => {
  const next = (row: number): string => `after ${row}`;

  it('tells by the row beyond whether there is more', () => {
    expect(pageOf([1, 2, 3], 2, next)).toEqual({
      data: [1, 2],
      page: { limit: 2, hasMore: true, nextCursor: 'after 2' },
    });
    expect(pageOf([1, 2], 2, next)).toEqual({ data: [1, 2], page: { limit: 2, hasMore: false, nextCursor: null } });
    expect(pageOf([], 2, next)).toEqual({ data: [], page: { limit: 2, hasMore: false, nextCursor: null } });
  });
});
