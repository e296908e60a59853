import { describe, expect, it } from '@jest/globals';
import { parseSettings } from '#config/settings';
import { STATES, type BulkStatus } from '#contracts/vocabulary';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { MemoryBulks } from '#testing/memory-upkeep';
import { BulkCompletion } from './bulk-completion.js';
import { CleanUp } from './clean-up.js';
import { type JobName, JOBS, scheduledJobs } from './jobs.js';
import type { Job } from './ports.js';
import { upkeepSettings } from './settings.js';

const NOW = new Date('2026-11-21T08:00:00.000Z');
const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * 86_400_000);
const BULK = 'b'.repeat(24);

describe('clean-up', () => {
  const cleanUp = (store: MemoryNotifications): CleanUp =>
    new CleanUp({ services: ['diabetes', 'wellness'], store, now: () => NOW, retentionDays: 30 });

  it('deletes only final states, and only what is old enough', async () => {
    const store = new MemoryNotifications(NOW);
    for (const state of STATES) {
      store.add(notificationOf({ state, createdAt: daysAgo(31) }));
      store.add(notificationOf({ state, createdAt: daysAgo(30) }));
    }
    expect(await cleanUp(store).run()).toBe(5);
    const old = [...store.documents.values()].filter(({ notification }) => notification.createdAt < daysAgo(30));
    expect(old.map(({ notification }) => notification.state).sort()).toEqual([
      'approved',
      'draft',
      'sending',
      'uncertain',
    ]);
  });

  it('goes on while there is more', async () => {
    const store = new MemoryNotifications(NOW);
    for (let n = 0; n < 2100; n += 1)
      store.add(notificationOf({ state: 'sent', createdAt: daysAgo(40), serviceName: 'wellness' }));
    expect(await cleanUp(store).run()).toBe(2100);
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
  it('has an interval for each', () => {
    const names = Object.keys(JOBS) as JobName[];
    const job: Job = { run: () => Promise.resolve(0) };
    const settings = parseSettings(upkeepSettings, { RELAY_EVERY_S: '7' });
    const jobs = scheduledJobs(Object.fromEntries(names.map((name) => [name, job])) as Record<JobName, Job>, settings);
    expect(jobs.map(({ name }) => name)).toEqual(names);
    expect(jobs.find(({ name }) => name === 'relay')).toEqual({ name: 'relay', everyMs: 7000, job });
    for (const { everyMs } of jobs) expect(everyMs).toBeGreaterThan(0);
  });
});
