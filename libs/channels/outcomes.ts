import type { ErrorClass } from '#contracts/vocabulary';
import type { Failure, Outcome } from '#domain/outcome';
import type { Place } from '#domain/limits';
import type { HttpFailureReason } from '#egress/http-client';

/** What senders of all channels say in the same words. Codes are released: only add. */

const TEXTS = {
  provider_unavailable: 'cannot serve right now',
  provider_unreachable: 'cannot be reached',
  connection_lost: 'ended the connection',
  timeout: 'did not take the message in time',
  lease_ended: 'had not been handed the message when the time for it was over',
  no_answer: 'was handed the message and did not answer in time',
  rate_limited: 'asks for fewer messages',
  credentials_refused: 'did not accept the credentials',
  provider_down: 'is left alone until it is up again',
  provider_disabled: 'is disabled',
  provider_limit: 'has had as many as its limit allows',
} as const;

const provider = (name: string, code: keyof typeof TEXTS, providerStatus: string | null): Failure => ({
  provider: name,
  code,
  class: 'provider',
  message: `${name} ${TEXTS[code]}`,
  providerStatus,
});

/** The provider answered that it has a problem; with a time to come back at, that is obeyed and uses no attempt. */
export const unavailable = (name: string, providerStatus: string, retryAfterMs: number | null = null): Outcome => {
  const failure = provider(name, 'provider_unavailable', providerStatus);
  return retryAfterMs === null ? { kind: 'transient', ...failure } : { kind: 'rate_limited', retryAfterMs, ...failure };
};

/** The provider asks for fewer messages. */
export const rateLimited = (name: string, providerStatus: string, retryAfterMs: number | null): Outcome => ({
  kind: 'rate_limited',
  retryAfterMs,
  ...provider(name, 'rate_limited', providerStatus),
});

/** The provider refused us, not the message. */
export const credentialsRefused = (name: string, providerStatus: string | null): Outcome => ({
  kind: 'credentials',
  ...provider(name, 'credentials_refused', providerStatus),
  class: 'credentials',
});

/** It was not asked, and may be after `retryAfterMs`. */
export const held = (
  name: string,
  code: 'provider_down' | 'provider_disabled' | 'provider_limit',
  retryAfterMs: number,
): Outcome & { kind: 'held' } => ({
  kind: 'held',
  reason: code === 'provider_limit' ? 'rate_limit' : 'provider',
  retryAfterMs,
  place: null,
  ...provider(name, code, null),
});

/** The same, with what was reserved for it; null where nothing could be. */
export const heldFor = (outcome: Outcome & { kind: 'held' }, place: Place | null): Outcome =>
  place === null ? outcome : { ...outcome, place, retryAfterMs: Math.max(0, place.at.getTime() - Date.now()) };

/** There is nothing to send with. */
export const credentialsMissing = (name: string, code: string, message: string): Outcome => ({
  kind: 'credentials',
  provider: name,
  code,
  class: 'credentials',
  message,
  providerStatus: null,
});

/** Trying again would change nothing. `message` is for people, and must hold nothing of what the provider said. */
export const permanent = (
  name: string,
  errorClass: ErrorClass,
  code: string,
  message: string,
  providerStatus: string | null = null,
): Outcome => ({ kind: 'permanent', provider: name, code, class: errorClass, message, providerStatus });

/**
 * Refused connection, unknown name, no route, no TLS: nothing was handed over. The whole provider is down, unless the
 * caller knows that others may fare better.
 */
export const unreachable = (name: string, kind: 'provider_down' | 'transient' = 'provider_down'): Outcome => ({
  kind,
  ...provider(name, 'provider_unreachable', null),
});

/** The connection ended without an answer. What was written by then may have been delivered. */
export const connectionLost = (name: string, written: boolean): Outcome => ({
  kind: written ? 'uncertain' : 'transient',
  ...provider(name, 'connection_lost', null),
});

/** A request to a provider of our own that ended without an answer. */
export const unanswered = (
  name: string,
  { reason, written }: { reason: HttpFailureReason; written: boolean },
  why: GaveUp | null,
): Outcome => {
  switch (reason) {
    case 'timeout':
    case 'aborted':
      return gaveUp(name, why ?? (reason === 'timeout' ? 'timeout' : 'lease_ended'), written);
    case 'unreachable':
    case 'tls':
    case 'address_not_allowed':
      return unreachable(name);
    case 'broken':
      return connectionLost(name, written);
  }
};

/** Why we stopped waiting: the sender's own limit, or the end of the lease. */
export type GaveUp = 'timeout' | 'lease_ended';

/** We stopped waiting. What was written by then may have been delivered. */
export const gaveUp = (name: string, why: GaveUp, written: boolean): Outcome =>
  written
    ? { kind: 'uncertain', ...provider(name, 'no_answer', null) }
    : { kind: 'transient', ...provider(name, why, null) };
