import { describe, expect, it } from '@jest/globals';
import { Semaphore } from './semaphore.js';

describe('Semaphore', () => {
  it('lets in as many as it has places, in order, and frees the place of one that fails', async () => {
    const semaphore = new Semaphore(1);
    const first = Promise.withResolvers<void>();
    const order: string[] = [];
    const a = semaphore.run(async () => {
      order.push('a in');
      await first.promise;
      order.push('a out');
      throw new Error('a failed');
    });
    const b = semaphore.run(() => {
      order.push('b in');
      return Promise.resolve('b');
    });
    first.resolve();
    await expect(a).rejects.toThrow('a failed');
    await expect(b).resolves.toBe('b');
    expect(order).toEqual(['a in', 'a out', 'b in']);
  });

  it('counts the places that each takes, lets nobody overtake, and gives all to who wants more', async () => {
    const semaphore = new Semaphore(10);
    const order: string[] = [];
    const held = new Map<string, () => void>();
    const take = (name: string, places: number): Promise<void> =>
      semaphore.run(() => {
        order.push(name);
        return new Promise((resolve) => held.set(name, resolve));
      }, places);
    const all = [take('six', 6), take('three', 3), take('four', 4), take('one', 1)];
    expect(order).toEqual(['six', 'three']);
    held.get('three')?.();
    await all[1];
    expect(order).toEqual(['six', 'three', 'four']);
    held.get('four')?.();
    await all[2];
    const tooMany = take('hundred', 100);
    held.get('one')?.();
    await all[3];
    expect(order).toEqual(['six', 'three', 'four', 'one']);
    held.get('six')?.();
    await all[0];
    expect(order.at(-1)).toBe('hundred');
    held.get('hundred')?.();
    await tooMany;
  });
});
