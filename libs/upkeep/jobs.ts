import type { Job } from './ports.js';
import type { UpkeepSettings } from './settings.js';

type IntervalSetting = Extract<keyof UpkeepSettings, `${string}_EVERY_S`>;

interface JobSpec {
  interval: IntervalSetting;
  /** A process that vanished in the middle holds up this job for so long, in seconds; longer than any run lasts. */
  lockTtlS: number;
}

/** Every job of the scheduler. */
export const JOBS = {
  relay: { interval: 'RELAY_EVERY_S', lockTtlS: 60 },
  overdue: { interval: 'OVERDUE_EVERY_S', lockTtlS: 60 },
  'stale-leases': { interval: 'STALE_LEASES_EVERY_S', lockTtlS: 60 },
  expiry: { interval: 'EXPIRY_EVERY_S', lockTtlS: 120 },
  'automatic-retry': { interval: 'AUTOMATIC_RETRY_EVERY_S', lockTtlS: 120 },
  'bulk-completion': { interval: 'BULK_COMPLETION_EVERY_S', lockTtlS: 60 },
  'clean-up': { interval: 'CLEAN_UP_EVERY_S', lockTtlS: 600 },
} as const satisfies Record<string, JobSpec>;

export type JobName = keyof typeof JOBS;

/** A job with when to run it, in milliseconds. */
export interface ScheduledJob {
  name: string;
  everyMs: number;
  lockTtlMs: number;
  job: Job;
}

export const scheduledJobs = (jobs: Readonly<Record<JobName, Job>>, settings: UpkeepSettings): ScheduledJob[] =>
  (Object.keys(JOBS) as JobName[]).map((name) => ({
    name,
    everyMs: settings[JOBS[name].interval] * 1000,
    lockTtlMs: JOBS[name].lockTtlS * 1000,
    job: jobs[name],
  }));
