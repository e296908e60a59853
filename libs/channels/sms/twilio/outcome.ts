import type { Outcome } from '#domain/outcome';
import type { HttpAnswer } from '#egress/http-client';
import { credentialsRefused, permanent, rateLimited, unavailable } from '../../outcomes.js';
import { retryAfterMs } from '../../retry-after.js';
import { at, contentRefused, jsonObject, numberRefused, textAt, unexpected } from '../answer.js';

export const TWILIO = 'twilio';

/** Not a number, not one that takes SMS, or one of a place that the account may not send to. https://www.twilio.com/docs/api/errors */
const NUMBER: ReadonlySet<number> = new Set([21211, 21214, 21217, 21265, 21408, 21612, 21614, 21635]);
/** The recipient answered STOP. */
const OPTED_OUT = 21610;
/** Sender or account, not the message: From is not ours, or cannot send there. */
const ACCOUNT: ReadonlySet<number> = new Set([20003, 21212, 21603, 21606, 21659, 21660, 30002]);
/** The account's own limits, whatever status they are answered by. */
const LIMIT: ReadonlySet<number> = new Set([20429, 14107, 21611, 30001, 63038]);

const refused = (code: number, status: string): Outcome => {
  if (NUMBER.has(code)) return numberRefused(TWILIO, status);
  if (ACCOUNT.has(code)) return credentialsRefused(TWILIO, status);
  if (code === OPTED_OUT)
    return permanent(TWILIO, 'recipient', 'recipient_opted_out', 'the recipient does not want any more SMS', status);
  return contentRefused(TWILIO, status);
};

/**
 * What an answer to `POST /2010-04-01/Accounts/{sid}/Messages.json` means: 201 and a message, or
 * `{code, message, more_info, status}`. https://www.twilio.com/docs/messaging/api/message-resource
 */
export const twilioOutcome = ({ status, headers, body }: HttpAnswer, now: Date): Outcome => {
  const text = String(status);
  const answer = jsonObject(body);
  const retryAfter = retryAfterMs(headers['retry-after'], now);
  if (status === 200 || status === 201)
    return { kind: 'sent', provider: TWILIO, providerMessageId: textAt(answer, 'sid'), providerStatus: text };
  if (status >= 500 || status === 408) return unavailable(TWILIO, text, retryAfter);
  const code = Number(at(answer, 'code'));
  if (status === 429 || LIMIT.has(code)) return rateLimited(TWILIO, text, retryAfter);
  if (status === 401 || status === 403) return credentialsRefused(TWILIO, text);
  return status === 400 ? refused(code, text) : unexpected(TWILIO, text);
};
