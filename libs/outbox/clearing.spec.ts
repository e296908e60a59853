import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { notificationOf } from '#testing/memory-delivery';
import { Clearing } from './clearing.js';

describe('Clearing', () => {
  let writes: { kind: string; serviceName: string; count: number }[];
  let failed: number[];
  let down: boolean;
  let written: Promise<void>;
  let clearing: Clearing;

  beforeEach(() => {
    jest.useFakeTimers();
    writes = [];
    failed = [];
    down = false;
    written = Promise.resolve();
    const write =
      (kind: string) =>
      (serviceName: string, told: readonly unknown[]): Promise<void> => {
        if (down) return Promise.reject(new Error('down'));
        writes.push({ kind, serviceName, count: told.length });
        return written;
      };
    clearing = new Clearing({
      store: { clearOutbox: write('clear'), deferWake: write('defer') },
      onFailed: (count) => failed.push(count),
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const announce = (count: number, serviceName = 'diabetes', butWake = false): void => {
    clearing.noteAnnounced();
    for (let n = 0; n < count; n += 1) clearing.add(notificationOf({ serviceName }), butWake);
  };
  const cleared = (): number => writes.reduce((sum, { count }) => sum + count, 0);

  it('clears when nothing is announced any more, in small writes', async () => {
    announce(250);
    await jest.advanceTimersByTimeAsync(1_500);
    expect(writes.map(({ count }) => count)).toEqual([100, 100, 50]);
  });

  it('stops after the batch at hand when something is announced, until it is quiet again', async () => {
    const slow = Promise.withResolvers<void>();
    written = slow.promise;
    announce(300);
    await jest.advanceTimersByTimeAsync(1_100);
    clearing.noteAnnounced();
    slow.resolve();
    await jest.advanceTimersByTimeAsync(900);
    expect(cleared()).toBe(100);
    await jest.advanceTimersByTimeAsync(1_500);
    expect(cleared()).toBe(300);
  });

  it('lets a busy time pass, but nothing wait until the relay looks', async () => {
    for (let at = 0; at < 5_900; at += 100) {
      announce(1);
      await jest.advanceTimersByTimeAsync(100);
    }
    expect(cleared()).toBe(0);
    for (let at = 0; at < 1_000; at += 100) {
      announce(1);
      await jest.advanceTimersByTimeAsync(100);
    }
    expect(cleared()).toBeGreaterThan(0);
    expect(cleared()).toBeLessThan(20);
    await jest.advanceTimersByTimeAsync(1_500);
    expect(cleared()).toBe(69);
  });

  it('writes apart what is of another service, and what only loses its wake-up', async () => {
    announce(2);
    announce(3, 'test');
    announce(4, 'test', true);
    await clearing.drained();
    expect(writes).toEqual([
      { kind: 'clear', serviceName: 'diabetes', count: 2 },
      { kind: 'clear', serviceName: 'test', count: 3 },
      { kind: 'defer', serviceName: 'test', count: 4 },
    ]);
  });

  it('says how many stay owed when the database does not answer, and goes on', async () => {
    down = true;
    announce(101);
    await jest.advanceTimersByTimeAsync(1_500);
    expect(failed).toEqual([100, 1]);
    down = false;
    announce(1);
    await clearing.drained();
    expect(cleared()).toBe(1);
  });
});
