import type { HttpResult } from '#egress/http-client';
import type { Outcome } from '#domain/outcome';
import { connectionLost, gaveUp, permanent, rateLimited, unavailable, unreachable } from '../outcomes.js';
import { retryAfterMs } from '../retry-after.js';

const WEBHOOK = 'webhook';

/** Answers that a repetition may change although they are of the 400s: Request Timeout, Too Early. */
const PASSING: ReadonlySet<number> = new Set([408, 425]);

const answered = (status: number, retryAfter: number | null): Outcome => {
  const text = String(status);
  if (status < 300) return { kind: 'sent', provider: WEBHOOK, providerMessageId: null, providerStatus: text };
  if (status === 410) {
    return {
      kind: 'recipient_gone',
      provider: WEBHOOK,
      code: 'endpoint_gone',
      class: 'recipient',
      message: 'the receiver says that this endpoint is gone for good',
      providerStatus: text,
    };
  }
  if (status === 429) return rateLimited(WEBHOOK, text, retryAfter);
  if (status === 503) return unavailable(WEBHOOK, text, retryAfter);
  if (status >= 500 || PASSING.has(status)) return unavailable(WEBHOOK, text);
  if (status < 400) return permanent(WEBHOOK, 'recipient', 'redirect_refused', 'redirects are not followed', text);
  return permanent(WEBHOOK, 'recipient', 'endpoint_refused', 'the receiver refused it', text);
};

/** What became of one webhook. One receiver that is down says nothing of the others, so the channel is never `provider_down`. */
export const webhookOutcome = (result: HttpResult, now: Date): Outcome => {
  if (result.kind === 'answered') return answered(result.status, retryAfterMs(result.headers['retry-after'], now));
  switch (result.reason) {
    case 'address_not_allowed':
      return permanent(
        WEBHOOK,
        'recipient',
        'address_not_allowed',
        'the URL leads to an address that may not be reached',
      );
    case 'timeout':
      return gaveUp(WEBHOOK, 'timeout', result.written);
    case 'aborted':
      return gaveUp(WEBHOOK, 'lease_ended', result.written);
    case 'unreachable':
    case 'tls':
      return unreachable(WEBHOOK, 'transient');
    case 'broken':
      return connectionLost(WEBHOOK, result.written);
  }
};
