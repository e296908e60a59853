import type { Channel, LimitKind, OnLimit } from '#contracts/vocabulary';
import type { Invalidations } from '#domain/invalidations';
import type { LimitRule } from '#domain/places';

export type { Invalidations };

/** What is limited: a channel of one service, or a provider for all services. */
export type LimitSubject =
  { serviceName: string; channel: Channel; provider: null } | { serviceName: null; channel: Channel; provider: string };

/** One word for it, also in the database. */
export const subjectKey = ({ serviceName, channel, provider }: LimitSubject): string =>
  serviceName === null ? `provider/${channel}/${provider}` : `service/${serviceName}/${channel}`;

/** A limit as somebody set it. */
export interface LimitRow {
  subject: LimitSubject;
  kind: LimitKind;
  /** Null for no limit at all. */
  max: number | null;
  periodSeconds: number;
  /** Null leaves it to the request, and to what is usual where it comes from. */
  onLimit: OnLimit | null;
  updatedAt: Date;
  /** `key:<id>` */
  updatedBy: string;
}

export interface LimitStore {
  all(): Promise<LimitRow[]>;
  /** Puts it in the place of what was there. */
  put(row: LimitRow): Promise<void>;
  /** Answers whether there was one. */
  delete(subject: LimitSubject): Promise<boolean>;
}

/** Gives out places, over all processes. */
export interface PlaceKeeper {
  /** `at` may lie ahead for those that wait. @throws Unavailable */
  reserve(
    key: string,
    wish: { rule: LimitRule; mode: OnLimit },
  ): Promise<{ granted: true; at: Date } | { granted: false; retryAfterMs: number }>;
}
