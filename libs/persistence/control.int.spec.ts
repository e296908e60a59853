import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { createProxy } from '#testing/proxy';
import { MongoAlertWindow } from './alerts/alert-window.js';
import { alertWindows } from './alerts/schema.js';
import { Databases } from './databases.js';
import { locks, MongoLocks } from './locks/locks.js';
import { MongoWatermarks } from './watermarks/watermarks.js';

let test: TestDatabases;
beforeAll(async () => {
  test = await openTestDatabases();
});
afterAll(() => test.drop());

describe('locks', () => {
  const nothing = (): Promise<void> => Promise.resolve();
  const others = (count: number): MongoLocks[] => Array.from({ length: count }, () => new MongoLocks(test.another()));

  it('are one process’s at a time, and stay with it until it frees them', async () => {
    const name = anId();
    const [first, second] = others(2);
    expect(await first?.once(name, 60_000, nothing)).toBe(true);
    expect(await second?.once(name, 60_000, nothing)).toBe(false);
    expect(await first?.once(name, 60_000, nothing)).toBe(true);
    expect(await second?.once(anId(), 60_000, nothing)).toBe(true);
    await first?.release();
    expect(await second?.once(name, 60_000, nothing)).toBe(true);
    expect(await first?.once(name, 60_000, nothing)).toBe(false);
  });

  it('are asked for again only towards the end of their time', async () => {
    const databases = new Databases(test.databases.settings, { monitorCommands: true });
    const client = (await databases.connection()).getClient();
    let asked = 0;
    client.on('commandStarted', () => (asked += 1));
    const own = new MongoLocks(databases);
    const name = anId();
    await own.once(name, 60_000, nothing);
    const before = asked;
    await own.once(name, 60_000, nothing);
    expect(asked).toBe(before);
    await own.once(name, 240_000, nothing);
    expect(asked).toBeGreaterThan(before);
    await databases.close();
  });

  describe('towards the end of their time', () => {
    const TTL = 60_000;
    let databases: Databases;
    let asked: string[];
    let own: MongoLocks;
    let now: number;
    beforeEach(async () => {
      databases = new Databases(test.databases.settings, { monitorCommands: true });
      asked = [];
      now = 0;
      (await databases.connection()).getClient().on('commandStarted', ({ commandName }) => asked.push(commandName));
      own = new MongoLocks(databases, () => now);
    });
    afterEach(() => databases.close());

    const endsOf = async (names: readonly string[]): Promise<number[]> => {
      const found = await test.databases.inControl(locks, (collection) =>
        collection.find({ _id: { $in: [...names] } }, { sort: { _id: 1 } }).toArray(),
      );
      return found.map(({ until }) => until.getTime());
    };

    it('are all kept by one question', async () => {
      const names = [anId(), anId(), anId()];
      for (const name of names) await own.once(name, TTL, nothing);
      const before = await endsOf(names);
      now = TTL * 0.75;
      asked = [];
      for (const name of names) expect(await own.once(name, TTL, nothing)).toBe(true);
      expect(asked).toEqual(['update']);
      const after = await endsOf(names);
      expect(after.every((end, index) => end > (before[index] ?? Infinity))).toBe(true);
    });

    it('are asked for one by one where one was lost', async () => {
      const [kept, lost] = [anId(), anId()];
      const [other] = others(1);
      for (const name of [kept, lost]) await own.once(name, TTL, nothing);
      await test.databases.inControl(locks, (collection) => collection.deleteOne({ _id: lost }));
      expect(await other?.once(lost, TTL, nothing)).toBe(true);
      now = TTL * 0.75;
      expect(await own.once(kept, TTL, nothing)).toBe(true);
      expect(await own.once(lost, TTL, nothing)).toBe(false);
    });
  });

  it('stay with it also when the work fails, and are told to no one else', async () => {
    const name = anId();
    const [first, second] = others(2);
    await expect(first?.once(name, 60_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await second?.release();
    expect(await second?.once(name, 60_000, nothing)).toBe(false);
    expect(await first?.once(name, 60_000, nothing)).toBe(true);
  });

  it('are free again some time after their process vanished', async () => {
    const name = anId();
    const proxy = await createProxy(test.databases.settings.MONGODB_URI);
    const behind = new Databases({ ...test.databases.settings, MONGODB_URI: proxy.uri });
    const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    try {
      const vanished = new MongoLocks(behind).once(name, 50, () => {
        proxy.cut();
        begun.resolve();
        return ended.promise;
      });
      await begun.promise;
      const [other] = others(1);
      while (!(await other?.once(name, 60_000, nothing)));
      ended.resolve();
      expect(await vanished).toBe(true);
      await new MongoLocks(behind).release();
    } finally {
      await behind.close();
      await proxy.close();
    }
  });

  it('stay held while the work lasts, also beyond their time', async () => {
    const name = anId();
    const [first, second] = others(2);
    const started = await test.databases.now();
    const ran = await first?.once(name, 1_000, async () => {
      while ((await test.databases.now()).getTime() < started.getTime() + 2_500)
        expect(await second?.once(name, 1_000, nothing)).toBe(false);
    });
    expect(ran).toBe(true);
    while (!(await second?.once(name, 1_000, nothing)));
  });

  it('let one begin where many race', async () => {
    const name = anId();
    const all = others(5).map((one) => one.once(name, 60_000, nothing));
    expect((await Promise.all(all)).filter(Boolean)).toHaveLength(1);
  });
});

describe('watermarks', () => {
  it('keep the latest of what several processes write', async () => {
    const at = (second: number): Date => new Date(Date.UTC(2026, 10, 21, 8, 0, second));
    const [one, other] = [test.another(), test.another()].map((some) => new MongoWatermarks(some));
    expect(await one?.read()).toEqual(new Map());
    await one?.write(new Map());
    const push = 'notifications.deliver.push.normal';
    const email = 'notifications.deliver.email.bulk';
    await one?.write(new Map([[push, { claimedAt: at(5), dueUpTo: at(1) }]]));
    await Promise.all([
      other?.write(
        new Map([
          [push, { claimedAt: at(3), dueUpTo: at(4) }],
          [email, { claimedAt: at(9), dueUpTo: at(9) }],
        ]),
      ),
      one?.write(new Map([[push, { claimedAt: at(2), dueUpTo: at(2) }]])),
    ]);
    expect(await other?.read()).toEqual(
      new Map([
        [push, { claimedAt: at(5), dueUpTo: at(4) }],
        [email, { claimedAt: at(9), dueUpTo: at(9) }],
      ]),
    );
  });
});

describe('alert windows', () => {
  it('begin with one alert, over all processes, and count the others', async () => {
    const group = anId();
    const windows = [test.another(), test.another(), test.another()].map((one) => new MongoAlertWindow(one));
    const raised = await Promise.all(windows.map((one) => one.first(group, 60_000)));
    expect(raised.filter(Boolean)).toHaveLength(1);
    const [window] = windows;
    expect(await window?.first(group, 60_000)).toBe(false);
    expect(await window?.first(anId(), 60_000)).toBe(true);
    const stored = await test.databases.inControl(alertWindows, (all) => all.findOne({ _id: group }));
    expect(stored?.suppressed).toBe(3);
  });

  it('begin again when they are over', async () => {
    const group = anId();
    const window = new MongoAlertWindow(test.databases);
    expect(await window.first(group, 0)).toBe(true);
    expect(await window.first(group, 60_000)).toBe(true);
    expect(await window.first(group, 60_000)).toBe(false);
  });
});

it('what belongs to no service is found by _id alone', async () => {
  const plans = await test.plansOf(async () => {
    await new MongoLocks(test.databases).once('job', 1_000, () => Promise.resolve());
    const watermarks = new MongoWatermarks(test.databases);
    await watermarks.write(new Map([['q', { claimedAt: new Date(), dueUpTo: new Date() }]]));
    await watermarks.read();
    await new MongoAlertWindow(test.databases).first('g', 1_000);
  });
  expect(new Set(plans.flatMap(({ indexes }) => indexes))).toEqual(new Set(['_id_']));
});
