/** Waiting between attempts: exponential, with full jitter, so that processes that failed together do not return together. */

export interface Backoff {
  baseMs: number;
  maxMs: number;
}

/** @param attempt 0 for the first @returns milliseconds, from 0 to min(maxMs, baseMs * 2^attempt) */
export const fullJitter = (attempt: number, { baseMs, maxMs }: Backoff, random: () => number = Math.random): number =>
  Math.round(random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30)));

/** Resolves after `ms`, or at once when `signal` aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });

/** Resolves to true when `work` ends within `ms`, to false otherwise. Rejects as `work` does. */
export const within = async (ms: number, work: Promise<unknown>): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
};
