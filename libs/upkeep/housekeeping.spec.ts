import { describe, expect, it } from '@jest/globals';
import { parseSettings } from '#config/settings';
import { type BulkStatus, type Scope, STATES } from '#contracts/vocabulary';
import { ServiceNotAllowed } from '#domain/errors';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { MemoryBulks } from '#testing/memory-upkeep';
import { BulkCompletion } from './bulk-completion.js';
import { CleanUp } from './clean-up.js';
import { type JobName, JOBS, scheduledJobs } from './jobs.js';
import { Maintenance } from './maintenance.js';
import type { Job } from './ports.js';
import { upkeepSettings } from './settings.js';

const NOW = new Date('2026-11-21T08:00:00.000Z');
const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * 86_400_000);
const BULK = 'b'.repeat(24);

describe('clean-up', () => {
  const cleanUp = (store: MemoryNotifications): CleanUp =>
    new CleanUp({ services: ['diabetes', 'wellness'], store, now: () => NOW, retentionDays: 30 });
  const goOn = new AbortController().signal;
  const statesOf = (store: MemoryNotifications): string[] =>
    [...store.documents.values()].map(({ notification }) => notification.state).sort();

  it('removes only final states, and only what is old enough', async () => {
    const store = new MemoryNotifications(NOW);
    for (const state of STATES) store.add(notificationOf({ state, createdAt: daysAgo(31) }));
    const young = STATES.map((state) => store.add(notificationOf({ state, createdAt: daysAgo(30) })).id);
    expect(await cleanUp(store).run(goOn)).toBe(5);
    for (const id of young) expect(store.documents.delete(id)).toBe(true);
    expect(statesOf(store)).toEqual(['approved', 'draft', 'sending', 'uncertain']);
  });

  it('leaves what is tried once more, and what others have not been told', async () => {
    const store = new MemoryNotifications(NOW);
    const error = { code: 'x', class: 'provider' as const, message: 'x', at: daysAgo(1) };
    const old = { state: 'failed' as const, createdAt: daysAgo(60), lastError: error };
    const awaits = store.add(notificationOf(old));
    const untold = store.add(notificationOf({ ...old, state: 'sent' }), {
      at: NOW,
      wake: false,
      status: true,
      deadLetter: false,
      previousStatus: 'pending',
    });
    const spent = store.add(notificationOf({ ...old, round: 2 }));
    const forbidden = store.add(notificationOf({ ...old, retryForbidden: true }));
    expect(await cleanUp(store).run(goOn)).toBe(2);
    expect([...store.documents.keys()]).toEqual([awaits.id, untold.id]);
    expect([spent, forbidden].some(({ id }) => store.documents.has(id))).toBe(false);
  });

  const many = (count: number): MemoryNotifications => {
    const store = new MemoryNotifications(NOW);
    for (let n = 0; n < count; n += 1)
      store.add(notificationOf({ state: 'sent', createdAt: daysAgo(40), serviceName: 'wellness' }));
    return store;
  };

  it('goes on while there is more', async () => {
    expect(await cleanUp(many(2100)).run(goOn)).toBe(2100);
  });

  it('ends early when it is told to', async () => {
    const store = many(2100);
    const stop = new AbortController();
    const remove = store.deleteFinalBefore.bind(store);
    store.deleteFinalBefore = async (...asked) => {
      const removed = await remove(...asked);
      if (removed > 0) stop.abort();
      return removed;
    };
    expect(await cleanUp(store).run(stop.signal)).toBe(1000);
  });

  describe('on request', () => {
    const caller = { actor: 'key:1', owner: 'ops', scopes: new Set<Scope>(), services: new Set(['wellness']) };
    const asked = { dryRun: false };

    it('counts without removing, and removes without counting again', async () => {
      const store = many(3);
      const maintenance = new Maintenance(cleanUp(store));
      const dry = await maintenance.cleaned(caller, { dryRun: true });
      const services = [{ serviceName: 'wellness', notifications: 3 }];
      expect(dry).toEqual({ createdBefore: daysAgo(30), services, more: false });
      expect(store.documents.size).toBe(3);
      expect(await maintenance.cleaned(caller, asked)).toEqual(dry);
      expect(store.documents.size).toBe(0);
    });

    it('keeps to the days and the services that it names', async () => {
      const store = many(1);
      store.add(notificationOf({ state: 'sent', createdAt: daysAgo(40) }));
      const maintenance = new Maintenance(cleanUp(store));
      expect(await maintenance.cleaned(caller, { ...asked, olderThanDays: 41 })).toMatchObject({
        createdBefore: daysAgo(41),
        services: [{ notifications: 0 }],
      });
      expect(() => maintenance.cleaned(caller, { ...asked, serviceName: 'diabetes' })).toThrow(ServiceNotAllowed);
      expect(await maintenance.cleaned(caller, asked)).toMatchObject({ services: [{ notifications: 1 }] });
      expect(statesOf(store)).toEqual(['sent']);
    });

    it('says that there is more than one call removes', async () => {
      const store = many(5);
      const order = { services: ['wellness'], dryRun: false, limit: 2 };
      expect(await cleanUp(store).cleanUp(order)).toMatchObject({ services: [{ notifications: 2 }], more: true });
      expect(store.documents.size).toBe(3);
    });
  });
});

describe('the end of bulks', () => {
  const house = (status: BulkStatus) => {
    const store = new MemoryNotifications(NOW);
    const bulks = new MemoryBulks();
    bulks.add({ id: BULK, serviceName: 'diabetes', owner: 'billing', status });
    const job = new BulkCompletion({ bulks, counts: store, canceller: store, now: () => NOW });
    return { store, bulks, job };
  };

  it('comes when nothing is pending', async () => {
    const { store, bulks, job } = house('running');
    const { id } = store.add(notificationOf({ bulkId: BULK }));
    expect(await job.run()).toBe(0);
    store.add({ ...store.get(id), state: 'failed' });
    expect(await job.run()).toBe(1);
    expect(bulks.documents.get(BULK)).toMatchObject({ status: 'completed', completedAt: NOW });
    expect(await job.run()).toBe(0);
  });

  it('finishes a cancellation, with what went back to wait meanwhile', async () => {
    const { store, bulks, job } = house('cancelling');
    const waits = store.add(notificationOf({ bulkId: BULK }));
    const sending = store.add(notificationOf({ bulkId: BULK, state: 'sending' }));
    expect(await job.run()).toBe(0);
    expect(store.get(waits.id).state).toBe('cancelled');
    store.add({ ...sending, state: 'approved' });
    expect(await job.run()).toBe(1);
    expect(store.get(sending.id).state).toBe('cancelled');
    expect(bulks.documents.get(BULK)?.status).toBe('cancelled');
  });

  it('is noticed by one scheduler alone', async () => {
    const { bulks, job } = house('running');
    bulks.move = () => Promise.resolve(null);
    expect(await job.run()).toBe(0);
  });
});

describe('the table of jobs', () => {
  it('has a time for each', () => {
    const names = Object.keys(JOBS) as JobName[];
    const job: Job = { run: () => Promise.resolve(0) };
    const settings = parseSettings(upkeepSettings, { RELAY_EVERY_S: '7' });
    const jobs = scheduledJobs(Object.fromEntries(names.map((name) => [name, job])) as Record<JobName, Job>, settings);
    expect(jobs.map(({ name }) => name)).toEqual(names);
    expect(jobs.find(({ name }) => name === 'relay')).toEqual({ name: 'relay', at: { everyMs: 7000 }, job });
    expect(jobs.find(({ name }) => name === 'clean-up')).toEqual({ name: 'clean-up', at: { cron: '0 3 * * *' }, job });
  });
});

describe('the time of clean-up', () => {
  it.each(['0 3 * * *', '*/5 * * * * *'])('may be %s', (cron) => {
    expect(parseSettings(upkeepSettings, { CLEAN_UP_CRON: cron }).CLEAN_UP_CRON).toBe(cron);
  });
  it.each(['daily', '0 25 * * *', '* *'])('may not be %s', (cron) => {
    expect(() => parseSettings(upkeepSettings, { CLEAN_UP_CRON: cron })).toThrow(/CLEAN_UP_CRON must be a cron/);
  });
});
