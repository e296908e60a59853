import type { GaveUp } from './outcomes.js';

/** One end to a batch, whichever comes first: the sender's own limit or the signal of the lease. */
export class Deadline {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private why: GaveUp | null = null;
  private readonly leaseEnded = (): void => this.end('lease_ended');

  constructor(
    timeoutMs: number,
    private readonly lease: AbortSignal,
  ) {
    this.timer = setTimeout(() => this.end('timeout'), timeoutMs);
    if (lease.aborted) this.end('lease_ended');
    else lease.addEventListener('abort', this.leaseEnded);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Null as long as it was not reached. */
  get reached(): GaveUp | null {
    return this.why;
  }

  /** To be called when the batch is done, or the timer holds the process. */
  clear(): void {
    clearTimeout(this.timer);
    this.lease.removeEventListener('abort', this.leaseEnded);
  }

  private end(why: GaveUp): void {
    this.clear();
    this.why = why;
    this.controller.abort();
  }
}
