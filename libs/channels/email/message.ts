import { randomUUID } from 'node:crypto';
import { encodeWord, foldLines } from 'nodemailer/lib/mime-funcs';
import { encode, wrap } from 'nodemailer/lib/qp';
import type { SendRequest } from '#domain/sender';

/**
 * Messages as RFC 5322 and MIME have them, in one piece. Put together here rather than by nodemailer's composer, which
 * makes half a dozen streams of each: three quarters of what an e-mail costs.
 */

/** Who the e-mails are from. */
export interface Sender {
  name: string | null;
  address: string;
  messageIdDomain: string;
}

/** RFC 5322, 2.1.1, recommends it; what is longer is folded or encoded. */
const LINE = 76;
const SHORT_ASCII_LINES = /^(?:[\t\x20-\x7e]{0,76}(?:\r\n|$))*$/;
/** Unknown to who writes the text, so that no line of it ends a part. */
const BOUNDARY = `=_carillon_${randomUUID()}`;

const PLAIN_PHRASE = /^[A-Za-z0-9 .'-]+$/;

/** A header's free text. What is not plain, or could be taken for an encoded word (RFC 2047), is encoded. */
const headerText = (name: string, value: string): string => {
  const safe = /^[\x20-\x7e]*$/.test(value) && !value.includes('=?') && name.length + value.length < LINE;
  return `${name}: ${safe ? value : foldHeader(name, value)}\r\n`;
};

const foldHeader = (name: string, value: string): string => {
  const folded = foldLines(`${name}: ${encodeWord(value, 'Q', 52)}`, LINE);
  return folded.slice(name.length + 2);
};

const mailbox = ({ name, address }: Sender): string => {
  if (name === null) return address;
  return `${PLAIN_PHRASE.test(name) ? `"${name}"` : encodeWord(name, 'Q', 52)} <${address}>`;
};

/** Headers and body of one text part. */
const textPart = (type: 'plain' | 'html', text: string): string => {
  const lines = text.replace(/\r\n?|\n/g, '\r\n');
  const plain = SHORT_ASCII_LINES.test(lines);
  return (
    `Content-Type: text/${type}; charset=utf-8\r\n` +
    `Content-Transfer-Encoding: ${plain ? '7bit' : 'quoted-printable'}\r\n\r\n` +
    `${plain ? lines : wrap(encode(lines), LINE)}\r\n`
  );
};

const alternatives = (text: string, html: string): string =>
  `Content-Type: multipart/alternative; boundary="${BOUNDARY}"\r\n\r\n` +
  `--${BOUNDARY}\r\n${textPart('plain', text)}` +
  `--${BOUNDARY}\r\n${textPart('html', html)}` +
  `--${BOUNDARY}--\r\n`;

/** `<delivery id@domain>`, the same at every attempt. */
export const messageId = (deliveryId: string, { messageIdDomain }: Sender): string =>
  `<${deliveryId}@${messageIdDomain}>`;

/** RFC 5322, 3.3 */
const dateHeader = (date: Date): string => date.toUTCString().replace('GMT', '+0000');

/** A whole message; the target must be a normalised address. */
export const composeMessage = (request: SendRequest, sender: Sender, now: Date): Buffer =>
  Buffer.from(
    `From: ${mailbox(sender)}\r\n` +
      `To: ${request.target}\r\n` +
      headerText('Subject', request.title ?? '') +
      `Message-ID: ${messageId(request.deliveryId, sender)}\r\n` +
      `Date: ${dateHeader(now)}\r\n` +
      `X-Carillon-Notification: ${request.notificationId}\r\n` +
      // RFC 3834: nobody's out-of-office reply should answer it.
      'Auto-Submitted: auto-generated\r\n' +
      'MIME-Version: 1.0\r\n' +
      (request.html === null ? textPart('plain', request.body) : alternatives(request.body, request.html)),
  );
