import { describe, expect, it } from '@jest/globals';
import { CHANNELS, MAX_BULK } from '#contracts/vocabulary';
import { anId } from '#testing/builders';
import { itemId, itemRange } from './item-ids.js';

describe('itemId', () => {
  const PARTS = [undefined, 'group', ...CHANNELS];
  const idsOf = (bulkId: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => PARTS.map((part) => itemId(bulkId, index, part))).flat();

  it('is another one for each item, channel and group, up to the largest bulk', () => {
    const ids = idsOf(anId(), MAX_BULK);
    expect(new Set(ids).size).toBe(MAX_BULK * PARTS.length);
    expect(ids.every((id) => /^[0-9a-f]{24}$/.test(id))).toBe(true);
  });

  it('is the same each time, and another one in another bulk', () => {
    const [one, other] = [anId(), anId()];
    expect(idsOf(one, 3)).toEqual(idsOf(one, 3));
    expect(idsOf(other, 3).some((id) => idsOf(one, 3).includes(id))).toBe(false);
  });

  it('follows the order of the items, and begins with the time of the bulk', () => {
    const bulkId = anId();
    const ids = Array.from({ length: 1_000 }, (_, index) => itemId(bulkId, index));
    expect(ids.toSorted()).toEqual(ids);
    expect(ids.every((id) => id.startsWith(bulkId.slice(0, 8)))).toBe(true);
  });

  it('lies in the range of its bulk, and of no other', () => {
    const [one, other] = [anId(), anId()];
    const isWithin = (id: string, { first, last }: { first: string; last: string }): boolean =>
      id >= first && id <= last;
    const ids = idsOf(one, MAX_BULK);
    expect(ids.every((id) => isWithin(id, itemRange(one)))).toBe(true);
    expect(ids.some((id) => isWithin(id, itemRange(other)))).toBe(false);
  });
});
