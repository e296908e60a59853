import type { Channel, OnLimit } from '#contracts/vocabulary';

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

/** A place that was reserved in a limit: good for one message, not before its time. */
export interface Place {
  /** Whose limit it is: of a provider by `<channel>/<provider>`. */
  of: string;
  at: Date;
}

/** What a notification needs of the limit of its service and channel. */
export interface ChannelPlaceRequest {
  serviceName: string;
  channel: Channel;
  /** What its sender chose; null leaves it to the limit. */
  onLimit: OnLimit | null;
  /** Where neither says anything. */
  otherwise: OnLimit;
}
/** `at`: from when it may be sent; not after now where it may be sent at once. */
export type ChannelGrant = { granted: true; at: Date } | { granted: false; retryAfterMs: number };

/** Nearer ahead than the clocks of two machines agree, in milliseconds: it may be used now. */
const SOON_MS = 100;
export const soonAfter = (now: Date): Date => new Date(now.getTime() + SOON_MS);

/** Limits of services and channels; exact over all processes. A crash may waste a place, never add one. */
export interface ChannelLimits {
  /** Known without asking: where there is none, nothing needs to be reserved. */
  isLimited(serviceName: string, channel: Channel): boolean;
  /** One grant each, in order. */
  reserve(requests: readonly ChannelPlaceRequest[]): Promise<ChannelGrant[]>;
}

/** Limits of providers; exact over all processes. A crash may waste a place, never add one. */
export interface ProviderLimits {
  /** Takes a place now, or tells when there is one, without taking it. */
  take(channel: Channel, provider: string): Promise<{ taken: true } | { taken: false; retryAfterMs: number }>;
  /** Reserves the next place there is; null where that could not be written down. */
  reserve(channel: Channel, provider: string): Promise<Place | null>;
}

export const placeOf = (channel: Channel, provider: string): string => `${channel}/${provider}`;
