import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob } from 'cron';
import { JOB_LOCK_MS, type ScheduledJob } from '#upkeep/jobs';
import { PARTS, type SchedulerParts } from './tokens.js';

/**
 * Runs each job at its interval or its times, in one scheduler at a time, and never beside itself. What goes wrong in a run is
 * logged, and the next one begins anew.
 */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly running = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    @Inject(SchedulerRegistry) private readonly registry: SchedulerRegistry,
    @Inject(PARTS) private readonly parts: SchedulerParts,
  ) {}

  onApplicationBootstrap(): void {
    for (const job of this.parts.jobs) {
      const { name, at } = job;
      const tick = (): void => void this.tick(job);
      if ('cron' in at) {
        this.registry.addCronJob(name, CronJob.from({ cronTime: at.cron, onTick: tick, timeZone: 'UTC', start: true }));
      } else {
        this.registry.addInterval(name, setInterval(tick, at.everyMs));
        tick();
      }
    }
  }

  /** What is being run is finished, or ended early, first; then another scheduler may go on at once. */
  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    for (const name of this.registry.getIntervals()) this.registry.deleteInterval(name);
    for (const name of this.registry.getCronJobs().keys()) this.registry.deleteCronJob(name);
    await Promise.all(this.running.values());
    await this.parts.locks.release();
  }

  /** Resolves when the run that is under way, or begins now, has ended. */
  tick(job: ScheduledJob): Promise<void> {
    if (this.stopping.signal.aborted) return Promise.resolve();
    const underWay = this.running.get(job.name);
    if (underWay !== undefined) return underWay;
    const run = this.run(job).finally(() => this.running.delete(job.name));
    this.running.set(job.name, run);
    return run;
  }

  private async run({ name, job }: ScheduledJob): Promise<void> {
    const { locks, log, onRun } = this.parts;
    const started = performance.now();
    try {
      await locks.once(`job:${name}`, JOB_LOCK_MS, async () => {
        const handled = await job.run(this.stopping.signal);
        const durationMs = performance.now() - started;
        onRun?.(name, handled, durationMs);
        if (handled > 0) log.debug({ job: name, handled, durationMs: Math.round(durationMs) }, 'job handled');
      });
    } catch (err) {
      onRun?.(name, null, performance.now() - started);
      log.error({ err, job: name }, 'job failed');
    }
  }
}
