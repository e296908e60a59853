import { describe, expect, it } from '@jest/globals';
import { SchedulerRegistry } from '@nestjs/schedule';
import type { HealthServer } from '#observability/health-server';
import { MemoryLocks } from '#testing/memory-upkeep';
import type { ScheduledJob } from '#upkeep/jobs';
import { JobRunner } from './job-runner.js';

const deferred = () => {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
};
const jobOf = (run: (stop: AbortSignal) => Promise<number>, name = 'relay'): ScheduledJob => ({
  name,
  at: { everyMs: 3_600_000 },
  job: { run },
});

const house = (jobs: readonly ScheduledJob[] = [], locks = new MemoryLocks()) => {
  const lines: string[] = [];
  const runs: [string, number | null][] = [];
  const registry = new SchedulerRegistry();
  const runner = new JobRunner(registry, {
    jobs,
    locks,
    log: {
      debug: (_, message) => lines.push(message),
      error: (_, message) => lines.push(message),
    },
    // Not touched here.
    health: undefined as unknown as HealthServer,
    onRun: (job, handled) => runs.push([job, handled]),
  });
  return { runner, registry, lines, runs, locks };
};

describe('the job runner', () => {
  it('runs each job at its start, and then at its interval', async () => {
    const ran: string[] = [];
    const jobs = ['relay', 'expiry'].map((name) =>
      jobOf(() => {
        ran.push(name);
        return Promise.resolve(1);
      }, name),
    );
    const { runner, registry, runs } = house(jobs);
    runner.onApplicationBootstrap();
    expect(registry.getIntervals()).toEqual(['relay', 'expiry']);
    await runner.onApplicationShutdown();
    expect(ran).toEqual(['relay', 'expiry']);
    expect(runs).toEqual([
      ['relay', 1],
      ['expiry', 1],
    ]);
    expect(registry.getIntervals()).toEqual([]);
  });

  it('runs a job at the times of its cron expression, and not at its start', async () => {
    const ran = deferred();
    const { runner, registry, runs } = house([
      {
        name: 'clean-up',
        at: { cron: '* * * * * *' },
        job: {
          run: () => {
            ran.resolve();
            return Promise.resolve(2);
          },
        },
      },
    ]);
    runner.onApplicationBootstrap();
    expect([...registry.getCronJobs().keys()]).toEqual(['clean-up']);
    expect(runs).toEqual([]);
    await ran.promise;
    await runner.onApplicationShutdown();
    expect(runs[0]).toEqual(['clean-up', 2]);
    expect(registry.getCronJobs().size).toBe(0);
  });

  it('never runs a job beside itself', async () => {
    const gate = deferred();
    let ran = 0;
    const job = jobOf(async () => {
      ran += 1;
      await gate.promise;
      return 0;
    });
    const { runner } = house();
    const ticks = [runner.tick(job), runner.tick(job)];
    gate.resolve();
    await Promise.all(ticks);
    expect(ran).toBe(1);
    await runner.tick(job);
    expect(ran).toBe(2);
  });

  it('runs it in one scheduler at a time', async () => {
    const gate = deferred();
    const held = new Map<string, MemoryLocks>();
    const ran: string[] = [];
    const jobIn = (scheduler: string): ScheduledJob =>
      jobOf(async () => {
        ran.push(scheduler);
        await gate.promise;
        return 0;
      });
    const [one, other] = [house([], new MemoryLocks(held)), house([], new MemoryLocks(held))];
    const first = one.runner.tick(jobIn('first'));
    await other.runner.tick(jobIn('second'));
    expect([...held.keys()]).toEqual(['job:relay']);
    gate.resolve();
    await first;
    await one.runner.tick(jobIn('first again'));
    await other.runner.tick(jobIn('second'));
    expect(ran).toEqual(['first', 'first again']);
    await one.runner.onApplicationShutdown();
    await other.runner.tick(jobIn('second'));
    expect(ran).toEqual(['first', 'first again', 'second']);
  });

  it('survives a job that fails', async () => {
    const { runner, lines, runs } = house();
    let fails = true;
    const job = jobOf(() => (fails ? Promise.reject(new Error('no database')) : Promise.resolve(3)));
    await runner.tick(job);
    expect(lines).toEqual(['job failed']);
    fails = false;
    await runner.tick(job);
    expect(lines).toEqual(['job failed', 'job handled']);
    expect(runs).toEqual([
      ['relay', null],
      ['relay', 3],
    ]);
  });

  it('finishes what is under way before it stops, asks it to be quick, and begins nothing more', async () => {
    const gate = deferred();
    let ended = false;
    let stop: AbortSignal | null = null;
    const { runner } = house();
    const job = jobOf(async (signal) => {
      stop = signal;
      await gate.promise;
      ended = true;
      return 0;
    });
    void runner.tick(job);
    const stopped = runner.onApplicationShutdown();
    expect(stop).toMatchObject({ aborted: true });
    gate.resolve();
    await stopped;
    expect(ended).toBe(true);
    ended = false;
    await runner.tick(job);
    expect(ended).toBe(false);
  });
});
