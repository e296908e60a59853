import { beforeEach, describe, expect, it } from '@jest/globals';
import { deliverQueue } from '#contracts/topology';
import type { Notification } from '#domain/notification';
import { Unavailable } from '#domain/errors';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { MemoryWatermarks } from '#testing/memory-upkeep';
import { Overdue } from './overdue.js';

const START = new Date('2026-11-21T08:00:00.000Z');
const QUEUE = deliverQueue('email', 'normal');
const at = (seconds: number): Date => new Date(START.getTime() + seconds * 1000);

let store = new MemoryNotifications(START);
let watermarks = new MemoryWatermarks();
let overdue: Overdue;
beforeEach(() => {
  store = new MemoryNotifications(at(600));
  watermarks = new MemoryWatermarks();
  overdue = new Overdue({
    services: ['diabetes', 'wellness'],
    store,
    watermarks,
    now: () => store.time,
    marginMs: 30_000,
  });
});

const due = (seconds: number, over: Partial<Notification> = {}): Notification =>
  store.add(notificationOf({ nextAttemptAt: at(seconds), ...over }));
const claimed = (claimedAt: number, dueUpTo: number, queue = QUEUE): void => {
  watermarks.marks.set(queue, { claimedAt: at(claimedAt), dueUpTo: at(dueUpTo) });
};
const owesWake = ({ id }: Notification): boolean => store.outboxOf(id)?.wake === true;

describe('while later ones are claimed', () => {
  it('what was overtaken by more than the margin was lost', async () => {
    claimed(600, 600);
    const [lost, otherService, near, future] = [due(500), due(500, { serviceName: 'wellness' }), due(575), due(700)];
    expect(await overdue.run()).toBe(2);
    expect([lost, otherService, near, future].map(owesWake)).toEqual([true, true, false, false]);
  });

  it('a backlog that moves on in order is left alone, however old', async () => {
    claimed(600, 100);
    for (let n = 0; n < 50; n += 1) due(90 + n);
    expect(await overdue.run()).toBe(0);
  });

  it('another lane says nothing about this one', async () => {
    claimed(600, 600, deliverQueue('email', 'urgent'));
    claimed(600, 580);
    const one = due(560);
    expect(await overdue.run()).toBe(0);
    expect(owesWake(one)).toBe(false);
  });

  it('leaves what still owes its wake-up to the relay, and what is being sent to its lease', async () => {
    claimed(600, 600);
    store.add(due(500), { at: at(0), wake: true, status: false, previousStatus: null, deadLetter: false });
    due(500, { state: 'sending' });
    expect(await overdue.run()).toBe(0);
  });

  it('wakes a bounded number at once', async () => {
    claimed(600, 600);
    for (let n = 0; n < 1500; n += 1) due(100);
    expect(await overdue.run()).toBe(1000);
    expect(await overdue.run()).toBe(500);
  });
});

describe('where nothing is claimed', () => {
  it('what is overdue was lost', async () => {
    claimed(500, 500);
    const [lost, fresh] = [due(510), due(590)];
    expect(await overdue.run()).toBe(1);
    expect([lost, fresh].map(owesWake)).toEqual([true, false]);
  });

  it('the same, after ten minutes, in a lane that never was claimed in', async () => {
    due(500);
    expect(await overdue.run()).toBe(0);
    store.time = at(1101);
    expect(await overdue.run()).toBe(1);
  });

  it('is not woken again and again while there is nobody to claim', async () => {
    const one = due(500);
    store.time = at(1101);
    expect(await overdue.run()).toBe(1);
    store.clearOutbox(one.id);
    store.time = at(1700);
    expect(await overdue.run()).toBe(0);
    store.time = at(1701);
    expect(await overdue.run()).toBe(1);
  });

  it('is looked at again when the database went away before it was woken', async () => {
    const one = due(500);
    claimed(500, 450);
    const oweWakeAgain = store.oweWakeAgain.bind(store);
    store.oweWakeAgain = () => Promise.reject(new Unavailable('the database'));
    await expect(overdue.run()).rejects.toThrow(Unavailable);
    store.oweWakeAgain = oweWakeAgain;
    expect(await overdue.run()).toBe(1);
    expect(owesWake(one)).toBe(true);
  });

  it('is woken again once somebody claimed and stopped', async () => {
    const one = due(500);
    await overdue.run();
    store.clearOutbox(one.id);
    claimed(610, 450);
    store.time = at(620);
    expect(await overdue.run()).toBe(0);
    store.time = at(641);
    expect(await overdue.run()).toBe(1);
  });

  it('an unused lane is let be for a while, but what waits in it is found', async () => {
    let asked = 0;
    const oldest = store.oldestWaiting.bind(store);
    store.oldestWaiting = (...of) => ((asked += 1), oldest(...of));
    expect(await overdue.run()).toBe(0);
    const lanes = asked;
    expect(lanes).toBeGreaterThan(0);
    due(0);
    store.time = at(740);
    expect(await overdue.run()).toBe(0);
    expect(asked).toBe(lanes);
    store.time = at(760);
    expect(await overdue.run()).toBe(1);
    expect(asked).toBe(2 * lanes);
  });
});
