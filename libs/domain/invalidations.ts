/** Tells every process that something it may have cached has changed. */
export interface Invalidations {
  /** In the background; never fails. What it misses is noticed when the cache's time is over. */
  publish(cache: string, key: string | null): void;
}
