import type { ErrorClass, OutcomeKind } from '#contracts/vocabulary';
import type { Place } from './limits.js';

/**
 * What became of handing one delivery to a provider, in the words of the house. Senders return them; they never throw
 * for a provider's answer. `tried`: who was asked before in the same attempt, in order; absent where nobody was.
 */
export type Outcome = (
  | { kind: 'sent'; provider: string; providerMessageId: string | null; providerStatus: string | null }
  /** Will never work for this delivery: `class` tells whether the recipient or the content is at fault. */
  | ({ kind: 'permanent' } & Failure)
  /** Worth another attempt after a backoff. */
  | ({ kind: 'transient' } & Failure)
  /** The provider asks to wait; uses no attempt. `retryAfterMs` null: the provider did not say. */
  | ({ kind: 'rate_limited'; retryAfterMs: number | null } & Failure)
  /** Refresh what can be refreshed, then try again. */
  | ({ kind: 'credentials' } & Failure)
  /** The next provider, or later. */
  | ({ kind: 'provider_down' } & Failure)
  /** The target does not exist any more: forget it. */
  | ({ kind: 'recipient_gone' } & Failure)
  /** The request went out and no answer came: it may have been delivered. */
  | ({ kind: 'uncertain' } & Failure)
  /** Handed to nobody, because no provider may be asked yet; uses no attempt. `place`: what was reserved for then. */
  | ({ kind: 'held'; reason: 'provider' | 'rate_limit'; retryAfterMs: number; place: Place | null } & Failure)
) & { tried?: readonly TriedProvider[] };

/** A provider that was asked, and what came of it, before the next one took over. */
export interface TriedProvider {
  provider: string;
  outcome: OutcomeKind;
  code: string | null;
  providerStatus: string | null;
}

export interface Failure {
  provider: string;
  /** Machine word, such as `provider_unavailable`; only added to. */
  code: string;
  class: ErrorClass;
  /** For people; never holds a token, an address or a secret. */
  message: string;
  /** The provider's own status, such as `503` or `550`. */
  providerStatus: string | null;
}

/** An outcome with the time it took, for the record of attempts. */
export interface TimedOutcome {
  outcome: Outcome;
  startedAt: Date;
  durationMs: number;
}
