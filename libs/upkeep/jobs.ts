import type { Job } from './ports.js';
import type { UpkeepSettings } from './settings.js';

type IntervalSetting = Extract<keyof UpkeepSettings, `${string}_EVERY_S`>;

/** A scheduler that vanished holds up its jobs for so long, in milliseconds. */
export const JOB_LOCK_MS = 10_000;

/** Every job of the scheduler, with the setting of its interval. */
export const JOBS = {
  relay: 'RELAY_EVERY_S',
  overdue: 'OVERDUE_EVERY_S',
  'stale-leases': 'STALE_LEASES_EVERY_S',
  expiry: 'EXPIRY_EVERY_S',
  fallbacks: 'FALLBACKS_EVERY_S',
  'inbox-reads': 'INBOX_READS_EVERY_S',
  'automatic-retry': 'AUTOMATIC_RETRY_EVERY_S',
  'bulk-completion': 'BULK_COMPLETION_EVERY_S',
  'clean-up': 'CLEAN_UP_EVERY_S',
} as const satisfies Record<string, IntervalSetting>;

export type JobName = keyof typeof JOBS;

/** A job with when to run it, in milliseconds. */
export interface ScheduledJob {
  name: string;
  everyMs: number;
  job: Job;
}

export const scheduledJobs = (jobs: Readonly<Record<JobName, Job>>, settings: UpkeepSettings): ScheduledJob[] =>
  (Object.keys(JOBS) as JobName[]).map((name) => ({
    name,
    everyMs: settings[JOBS[name]] * 1000,
    job: jobs[name],
  }));
