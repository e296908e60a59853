import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { createProxy } from '#testing/proxy';
import { MongoAlertWindow } from './alerts/alert-window.js';
import { alertWindows } from './alerts/schema.js';
import { Databases } from './databases.js';
import { MongoLocks } from './locks/locks.js';
import { MongoWatermarks } from './watermarks/watermarks.js';

let test: TestDatabases;
beforeAll(async () => {
  test = await openTestDatabases();
});
afterAll(() => test.drop());

describe('locks', () => {
  it('let one work at a time, over all processes', async () => {
    const name = anId();
    let working = 0;
    let ran = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const work = (): Promise<void> => {
      working += 1;
      ran += 1;
      most = Math.max(most, working);
      return new Promise((resolve) => release.push(() => resolve(void (working -= 1))));
    };
    const [first, second, third] = [test.another(), test.another(), test.another()].map((one) => new MongoLocks(one));
    const running = first?.once(name, 60_000, work);
    while (ran === 0) await test.databases.ping();
    expect(await second?.once(name, 60_000, work)).toBe(false);
    expect(await third?.once(anId(), 60_000, () => Promise.resolve())).toBe(true);
    release.shift()?.();
    expect(await running).toBe(true);
    const again = second?.once(name, 60_000, work);
    while (ran === 1) await test.databases.ping();
    release.shift()?.();
    expect(await again).toBe(true);
    expect(most).toBe(1);
  });

  it('are free again after a failure, and after their time', async () => {
    const name = anId();
    const locks = new MongoLocks(test.databases);
    await expect(locks.once(name, 60_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const proxy = await createProxy(test.databases.settings.MONGODB_URI);
    const behind = new Databases({ ...test.databases.settings, MONGODB_URI: proxy.uri });
    const ran = Promise.withResolvers<void>();
    const vanished = new MongoLocks(behind).once(name, 50, () => {
      proxy.cut();
      return ran.promise;
    });
    while (!(await locks.once(name, 60_000, () => Promise.resolve())));
    ran.resolve();
    expect(await vanished).toBe(true);
    await behind.close();
    await proxy.close();
  });

  it('stay held while the work lasts, also beyond their time', async () => {
    const name = anId();
    const locks = new MongoLocks(test.databases);
    const started = await test.databases.now();
    const ran = await locks.once(name, 1_000, async () => {
      while ((await test.databases.now()).getTime() < started.getTime() + 2_500)
        expect(await new MongoLocks(test.databases).once(name, 1_000, () => Promise.resolve())).toBe(false);
    });
    expect(ran).toBe(true);
    expect(await locks.once(name, 1_000, () => Promise.resolve())).toBe(true);
  });

  it('let one begin where many race', async () => {
    const name = anId();
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let refused = 0;
    const all = [test.another(), test.another(), test.another()].map(async (one) => {
      const ran = await new MongoLocks(one).once(name, 60_000, () => released);
      if (!ran) refused += 1;
      // Not before, for then the lock would be free for one that comes late.
      if (refused === 2) release();
      return ran;
    });
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
