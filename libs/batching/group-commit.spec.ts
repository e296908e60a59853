import { describe, expect, it } from '@jest/globals';
import { GroupCommit } from './group-commit.js';

const gate = (): { opened: Promise<void>; open: () => void } => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
};

describe('GroupCommit', () => {
  it('flushes together what arrives in one turn, and answers each its own', async () => {
    const batches: number[][] = [];
    const group = new GroupCommit<number, number>(
      (items) => {
        batches.push([...items]);
        return Promise.resolve(items.map((item) => ({ value: item * 10 })));
      },
      { maxBatch: 100, maxInFlight: 1 },
    );
    await expect(Promise.all([group.add(1), group.add(2), group.add(3)])).resolves.toEqual([10, 20, 30]);
    expect(batches).toEqual([[1, 2, 3]]);
  });

  it('tells an error to its own caller alone', async () => {
    const group = new GroupCommit<number, string>(
      (items) => Promise.resolve(items.map((item) => (item === 2 ? { error: new Error('two') } : { value: 'ok' }))),
      { maxBatch: 100, maxInFlight: 1 },
    );
    const results = await Promise.allSettled([group.add(1), group.add(2), group.add(3)]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('rejects all of a flush that fails as a whole, and goes on', async () => {
    let fail = true;
    const group = new GroupCommit<number, number>(
      (items) => (fail ? Promise.reject(new Error('down')) : Promise.resolve(items.map((value) => ({ value })))),
      { maxBatch: 100, maxInFlight: 1 },
    );
    const results = await Promise.allSettled([group.add(1), group.add(2)]);
    expect(results.every((result) => result.status === 'rejected')).toBe(true);
    fail = false;
    await expect(group.add(3)).resolves.toBe(3);
  });

  it('rejects those that a flush forgot', async () => {
    const group = new GroupCommit<number, number>(() => Promise.resolve([{ value: 1 }]), {
      maxBatch: 10,
      maxInFlight: 1,
    });
    const results = await Promise.allSettled([group.add(1), group.add(2)]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected']);
  });

  it('gathers while a flush is under way, within maxBatch and maxInFlight', async () => {
    const first = gate();
    const sizes: number[] = [];
    let underWay = 0;
    let most = 0;
    const group = new GroupCommit<number, number>(
      async (items) => {
        underWay += 1;
        most = Math.max(most, underWay);
        sizes.push(items.length);
        if (sizes.length === 1) await first.opened;
        underWay -= 1;
        return items.map((value) => ({ value }));
      },
      { maxBatch: 3, maxInFlight: 1 },
    );
    const one = group.add(0);
    await new Promise((resolve) => setImmediate(resolve));
    const others = [1, 2, 3, 4].map((item) => group.add(item));
    first.open();
    await Promise.all([one, ...others]);
    expect(sizes).toEqual([1, 3, 1]);
    expect(most).toBe(1);
  });

  const sized = (sizes: number[], gatherMs: number): GroupCommit<number, number> =>
    new GroupCommit(
      (items) => {
        sizes.push(items.length);
        return Promise.resolve(items.map((value) => ({ value })));
      },
      { maxBatch: 100, maxInFlight: 1, gatherMs },
    );
  const add = (group: GroupCommit<number, number>, count: number): Promise<number[]> =>
    Promise.all(Array.from({ length: count }, (_, item) => group.add(item)));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('waits, after a large batch, until as many are there again', async () => {
    const sizes: number[] = [];
    const group = sized(sizes, 60_000);
    await add(group, 10);
    const late = add(group, 4);
    await turn();
    await turn();
    expect(sizes).toEqual([10]);
    await Promise.all([late, add(group, 6)]);
    expect(sizes).toEqual([10, 10]);
  });

  it('waits no longer than it may, and after a small batch for nobody', async () => {
    const sizes: number[] = [];
    const group = sized(sizes, 1);
    await add(group, 10);
    await add(group, 2);
    const patient = sized(sizes, 60_000);
    await add(patient, 4);
    await add(patient, 1);
    expect(sizes).toEqual([10, 2, 4, 1]);
  });

  describe('beside another flush', () => {
    const held = (besideFrom: number): { sizes: number[]; group: GroupCommit<number, number>; open: () => void } => {
      const { opened, open } = gate();
      const sizes: number[] = [];
      const group = new GroupCommit<number, number>(
        async (items) => {
          sizes.push(items.length);
          if (sizes.length === 1) await opened;
          return items.map((value) => ({ value }));
        },
        { maxBatch: 100, maxInFlight: 2, besideFrom },
      );
      return { sizes, group, open };
    };

    it('starts none for a few, which go when it ends', async () => {
      const { sizes, group, open } = held(3);
      const first = group.add(0);
      await turn();
      const few = add(group, 2);
      await turn();
      await turn();
      expect(sizes).toEqual([1]);
      open();
      await Promise.all([first, few]);
      expect(sizes).toEqual([1, 2]);
    });

    it('starts one as soon as enough wait', async () => {
      const { sizes, group, open } = held(3);
      const first = group.add(0);
      await turn();
      const few = add(group, 2);
      await turn();
      await Promise.all([few, group.add(2)]);
      expect(sizes).toEqual([1, 3]);
      open();
      await first;
    });

    it('waits for none that takes long', async () => {
      const { sizes, group, open } = held(3);
      const first = group.add(0);
      await turn();
      await add(group, 2);
      expect(sizes).toEqual([1, 2]);
      open();
      await first;
    });
  });

  it('shares out many among its flushes, and not a few', async () => {
    const { opened, open } = gate();
    const sizes: number[] = [];
    const group = new GroupCommit<number, number>(
      async (items) => {
        sizes.push(items.length);
        await opened;
        return items.map((value) => ({ value }));
      },
      { maxBatch: 100, maxInFlight: 2, even: true },
    );
    const many = add(group, 50);
    await turn();
    await turn();
    expect(sizes).toEqual([25, 25]);
    open();
    await many;
    await add(group, 16);
    expect(sizes).toEqual([25, 25, 16]);
  });

  it('tells when it is drained', async () => {
    const first = gate();
    const group = new GroupCommit<number, number>(
      async (items) => {
        await first.opened;
        return items.map((value) => ({ value }));
      },
      { maxBatch: 10, maxInFlight: 1 },
    );
    await group.drained();
    let done = false;
    const work = group.add(1).then(() => (done = true));
    const drained = group.drained().then(() => done);
    first.open();
    await work;
    await expect(drained).resolves.toBe(true);
  });
});
