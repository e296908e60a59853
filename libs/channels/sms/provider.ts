import type { Outcome } from '#domain/outcome';
import type { SendRequest } from '#domain/sender';
import type { Deadline } from '../deadline.js';

/** One way to hand over an SMS. */
export interface SmsProvider {
  /** As it stands in outcomes, settings and receipts. */
  readonly name: SmsProviderName;
  /**
   * Hands over one SMS, once. Never rejects for what the provider says or does; ends when the deadline is reached, and
   * says then whether the message was written.
   */
  send(request: SendRequest, deadline: Deadline): Promise<Outcome>;
}

export const SMS_PROVIDERS = ['orange', 'twilio'] as const;
export type SmsProviderName = (typeof SMS_PROVIDERS)[number];
