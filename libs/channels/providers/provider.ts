import type { Outcome } from '#domain/outcome';
import type { SendRequest } from '#domain/sender';
import type { Deadline } from '../deadline.js';

/** One way to hand over one message of a channel. */
export interface Provider {
  /** As it stands in outcomes, settings, limits and `/api/providers`. */
  readonly name: string;
  /** Whether an outcome speaks against the provider, rather than against one message or service. */
  isOutage(outcome: Outcome): boolean;
  /**
   * Hands over one message, once. Never rejects for what the provider says or does; ends when the deadline is reached,
   * and says then whether the message was written.
   */
  send(request: SendRequest, deadline: Deadline): Promise<Outcome>;
}
