import { describe, expect, it } from '@jest/globals';
import { Followed } from './followed.js';

describe('what is followed', () => {
  it('is read when told, and once more when it was changed meanwhile', async () => {
    const reads: PromiseWithResolvers<number>[] = [];
    const followed = new Followed({
      read: () => {
        const read = Promise.withResolvers<number>();
        reads.push(read);
        return read.promise;
      },
      initial: 0,
      onProblem: () => undefined,
    });
    const first = followed.refresh();
    const second = followed.refresh();
    reads[0]?.resolve(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(followed.current).toBe(1);
    reads[1]?.resolve(2);
    await Promise.all([first, second]);
    expect([followed.current, reads.length]).toEqual([2, 2]);
  });

  it('stays as it was while the store does not answer, and is read again', async () => {
    let fails = true;
    const problems: unknown[] = [];
    const recovered = Promise.withResolvers<void>();
    const followed = new Followed({
      read: () => {
        if (fails) return Promise.reject(new Error('down'));
        recovered.resolve();
        return Promise.resolve('new');
      },
      initial: 'old',
      onProblem: (error) => problems.push(error),
    });
    await followed.refresh();
    expect([followed.current, problems.length]).toEqual(['old', 1]);
    fails = false;
    const alive = setInterval(() => undefined, 1_000);
    await recovered.promise;
    clearInterval(alive);
    await followed.refresh();
    expect(followed.current).toBe('new');
    followed.close();
  });
});
