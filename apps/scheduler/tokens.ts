import type { HealthServer } from '#observability/health-server';
import type { ScheduledJob } from '#upkeep/jobs';
import type { Locks } from '#upkeep/ports';

/** pino has this shape. */
export interface SchedulerLog {
  debug(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What this app runs, and by what. */
export interface SchedulerParts {
  jobs: readonly ScheduledJob[];
  locks: Locks;
  log: SchedulerLog;
  health: HealthServer;
  /** One run ended; `handled` null when it failed. */
  onRun?: (job: string, handled: number | null, durationMs: number) => void;
}

export const PARTS = Symbol('SchedulerParts');
