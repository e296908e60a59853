import { beforeEach, describe, expect, it } from '@jest/globals';
import { Telling } from './telling.js';

describe('Telling', () => {
  let times: number;
  let telling: Telling;
  beforeEach(() => {
    times = 0;
    telling = new Telling(() => {
      times += 1;
      return Promise.resolve();
    });
  });

  it('is over once when the last part is confirmed after the end', async () => {
    const [first, second] = [telling.part(), telling.part()];
    await first(true);
    await telling.end();
    expect(times).toBe(0);
    await second(true);
    expect(times).toBe(1);
  });

  it('is over at the end where all parts were confirmed before', async () => {
    await telling.part()(true);
    expect(times).toBe(0);
    await telling.end();
    expect(times).toBe(1);
  });

  it('is never over where one part was not confirmed', async () => {
    const [first, second] = [telling.part(), telling.part()];
    await telling.end();
    await first(false);
    await second(true);
    expect(times).toBe(0);
  });

  it('bears that nobody can write it down', async () => {
    const failing = new Telling(() => Promise.reject(new Error('down')));
    const part = failing.part();
    await failing.end();
    await expect(part(true)).resolves.toBeUndefined();
  });
});
