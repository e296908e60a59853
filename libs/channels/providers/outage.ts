import type { Outcome } from '#domain/outcome';

/** Whether an outcome speaks against a provider whose credentials all services share. */
export const isOutage = (outcome: Outcome): boolean => {
  switch (outcome.kind) {
    case 'transient':
    case 'provider_down':
    case 'uncertain':
      return true;
    case 'credentials':
      return outcome.code === 'credentials_refused';
    case 'rate_limited':
      // A 503 that says when to come back.
      return outcome.code === 'provider_unavailable';
    default:
      return false;
  }
};

/** The same where each service has credentials of its own. */
export const isOutageForAll = (outcome: Outcome): boolean => outcome.kind !== 'credentials' && isOutage(outcome);

/** Where each target is somebody else's server, or our own database: none speaks for the others. */
export const neverOutage = (): boolean => false;
