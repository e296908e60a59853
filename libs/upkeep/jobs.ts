import type { Job } from './ports.js';
import type { UpkeepSettings } from './settings.js';

type TimeSetting = Extract<keyof UpkeepSettings, `${string}_EVERY_S` | `${string}_CRON`>;

/** A scheduler that vanished holds up its jobs for so long, in milliseconds. */
export const JOB_LOCK_MS = 10_000;

/** Every job of the scheduler, with the setting of its interval or its times of day. */
export const JOBS = {
  relay: 'RELAY_EVERY_S',
  'bulk-relay': 'BULK_RELAY_EVERY_S',
  'claim-relay': 'CLAIM_RELAY_EVERY_S',
  overdue: 'OVERDUE_EVERY_S',
  'stale-leases': 'STALE_LEASES_EVERY_S',
  expiry: 'EXPIRY_EVERY_S',
  fallbacks: 'FALLBACKS_EVERY_S',
  'inbox-reads': 'INBOX_READS_EVERY_S',
  'automatic-retry': 'AUTOMATIC_RETRY_EVERY_S',
  'bulk-completion': 'BULK_COMPLETION_EVERY_S',
  'stale-counters': 'STALE_COUNTERS_EVERY_S',
  'clean-up': 'CLEAN_UP_CRON',
} as const satisfies Record<string, TimeSetting>;

export type JobName = keyof typeof JOBS;

/** A job with when to run it: at an interval, in milliseconds, or at the times of a cron expression, in UTC. */
export interface ScheduledJob {
  name: string;
  at: { everyMs: number } | { cron: string };
  job: Job;
}

const timeOf = (setting: number | string): ScheduledJob['at'] =>
  typeof setting === 'number' ? { everyMs: setting * 1000 } : { cron: setting };

export const scheduledJobs = (jobs: Readonly<Record<JobName, Job>>, settings: UpkeepSettings): ScheduledJob[] =>
  (Object.keys(JOBS) as JobName[]).map((name) => ({
    name,
    at: timeOf(settings[JOBS[name]]),
    job: jobs[name],
  }));
