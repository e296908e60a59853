import type { Outcome } from '#domain/outcome';
import { isTlsFailure, isUnreachable } from '#egress/network-errors';
import {
  connectionLost,
  credentialsRefused,
  gaveUp,
  permanent,
  unavailable,
  unreachable,
  type GaveUp,
} from '../outcomes.js';

/** What nodemailer says of an e-mail that did not go. */
export interface SmtpError {
  /** nodemailer's, such as EENVELOPE, or the system's. */
  code?: string | undefined;
  /** The system's, where `code` is nodemailer's. */
  originalCode?: string | undefined;
  /** The server's reply, where there was one. */
  responseCode?: number | undefined;
  /** What the reply was to: CONN, MAIL FROM, RCPT TO, DATA, AUTH ... */
  command?: string | undefined;
  timeoutType?: string | undefined;
}

const MAILBOX_REPLIES: ReadonlySet<number> = new Set([521, 550, 551, 553, 556]);
const CONTENT_REPLIES: ReadonlySet<number> = new Set([552, 554, 555, 571]);
/** RFC 4954, 6 */
const AUTH_REPLIES: ReadonlySet<number> = new Set([530, 534, 535, 538]);

/** By the server's reply. RFC 5321, 4.2 */
const replied = (name: string, reply: number, command: string): Outcome => {
  const status = String(reply);
  if (reply < 500) return unavailable(name, status);
  if (AUTH_REPLIES.has(reply) || command.startsWith('AUTH')) return credentialsRefused(name, status);
  // 554 instead of a greeting: no mail from here, RFC 5321, 3.1
  if (command === 'CONN') return unreachable(name);
  if (command === 'MAIL FROM') {
    return permanent(name, 'provider', 'sender_refused', 'the mail server does not send for this sender', status);
  }
  if (MAILBOX_REPLIES.has(reply) || (command === 'RCPT TO' && CONTENT_REPLIES.has(reply))) {
    return permanent(
      name,
      'recipient',
      'recipient_refused',
      'the mail server does not deliver to this address',
      status,
    );
  }
  if (CONTENT_REPLIES.has(reply)) {
    return permanent(name, 'content', 'content_refused', 'the mail server refused the message', status);
  }
  return permanent(name, 'provider', 'unexpected_answer', 'the mail server did not understand', status);
};

/** nodemailer's own codes for the same. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set(['EDNS', 'ETLS', 'CONNECTION_TIMEOUT', 'GREETING_TIMEOUT']);

const neverConnected = ({ code, originalCode, timeoutType }: SmtpError): boolean =>
  [code, originalCode, timeoutType].some(
    (one) => one !== undefined && (NEVER_CONNECTED.has(one) || isUnreachable(one) || isTlsFailure(one)),
  );

/**
 * What became of an e-mail that nodemailer reports an error for.
 * @param name the mail server's, as it stands in outcomes
 * @param begun the server was given at least the beginning of the message: without a reply, it may have taken all of it
 * @param why set if we stopped waiting
 */
export const emailFailure = (name: string, error: SmtpError, begun: boolean, why: GaveUp | null): Outcome => {
  if (error.responseCode !== undefined) return replied(name, error.responseCode, error.command ?? '');
  if (why !== null) return gaveUp(name, why, begun);
  if (begun) return connectionLost(name, true);
  if (neverConnected(error)) return unreachable(name);
  switch (error.code) {
    case 'EAUTH':
    case 'ENOAUTH':
      return credentialsRefused(name, null);
    case 'EENVELOPE':
      return permanent(name, 'recipient', 'recipient_refused', 'the mail server cannot be asked for such an address');
    case 'EMESSAGE':
      return permanent(name, 'content', 'content_refused', 'the message is larger than the mail server takes');
    default:
      return connectionLost(name, false);
  }
};
