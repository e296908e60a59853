/** Promises for a state that arrivals bring about. */
export class Waiters {
  private readonly waiting = new Set<() => void>();

  /** To be called after every change. */
  readonly check = (): void => {
    for (const look of this.waiting) look();
  };

  /** True as soon as `reached()` is; false after `timeoutMs`, or when `signal` aborts. */
  until(reached: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (reached()) return Promise.resolve(true);
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        this.waiting.delete(look);
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        resolve(result);
      };
      const look = (): void => {
        if (reached()) end(true);
      };
      const giveUp = (): void => end(false);
      const timer = setTimeout(giveUp, timeoutMs);
      signal.addEventListener('abort', giveUp);
      this.waiting.add(look);
    });
  }
}
