import type { Delivery } from './notification.js';

/** One open delivery for each target, in order. */
export const deliveriesOf = (id: string, targets: readonly string[]): Delivery[] =>
  targets.map((target, index) => ({
    id: `${id}-${index + 1}`,
    target,
    status: 'open',
    provider: null,
    providerMessageId: null,
    attempts: [],
  }));
