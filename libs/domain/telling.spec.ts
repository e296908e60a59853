import { beforeEach, describe, expect, it } from '@jest/globals';
import { Telling } from './telling.js';

describe('Telling', () => {
  let over: boolean[];
  let telling: Telling;
  beforeEach(() => {
    over = [];
    telling = new Telling((allConfirmed) => Promise.resolve(void over.push(allConfirmed)));
  });

  it('is over once when the last part is confirmed after the end', async () => {
    const [first, second] = [telling.part(), telling.part()];
    await first(true);
    await telling.end();
    expect(over).toEqual([]);
    await second(true);
    expect(over).toEqual([true]);
  });

  it('is over at the end where all parts were confirmed before', async () => {
    await telling.part()(true);
    expect(over).toEqual([]);
    await telling.end();
    expect(over).toEqual([true]);
  });

  it('says where one part was not confirmed', async () => {
    const [first, second] = [telling.part(), telling.part()];
    await telling.end();
    await first(false);
    expect(over).toEqual([]);
    await second(true);
    expect(over).toEqual([false]);
  });

  it('bears that nobody can write it down', async () => {
    const failing = new Telling(() => Promise.reject(new Error('down')));
    const part = failing.part();
    await failing.end();
    await expect(part(true)).resolves.toBeUndefined();
  });
});
