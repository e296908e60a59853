export interface LimitRequest {
  /** `<service>:<user or digest of address>` */
  key: string;
  /** The minute that it counts in begins here or, with `wait`, later. */
  at: Date;
  max: number;
  mode: 'fail' | 'wait';
}
/** `minute`: when the minute that the place was taken in begins. */
export type LimitGrant = { granted: true; minute: Date } | { granted: false; retryAfterMs: number };

/** Places in each user's minutes; exact over all processes. A crash may waste a place, never add one. */
export interface UserLimits {
  reserve(requests: readonly LimitRequest[]): Promise<LimitGrant[]>;
  release(places: readonly { key: string; minute: Date }[]): Promise<void>;
}
