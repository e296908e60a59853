import { createHmac, timingSafeEqual } from 'node:crypto';
import { OPERATIONS } from '#contracts/http/operations';
import type { TwilioReceipt } from '#contracts/http/receipts';

/** Where Twilio tells what became of one delivery: the URL itself says of which, so that nothing has to be looked up. */
export const receiptUrl = (base: string, delivery: { serviceName: string; deliveryId: string }): string =>
  `${base}${OPERATIONS.takeTwilioReceipt.path}?${new URLSearchParams(delivery).toString()}`;

/**
 * `X-Twilio-Signature`: HMAC-SHA1, in base64, over the URL as Twilio called it and the fields, by name.
 * https://www.twilio.com/docs/usage/security#validating-requests
 */
export const twilioSignature = (authToken: string, url: string, fields: Readonly<Record<string, string>>): string => {
  const text = Object.keys(fields)
    .sort()
    .reduce((all, name) => `${all}${name}${fields[name] ?? ''}`, url);
  return createHmac('sha1', authToken).update(text).digest('base64');
};

/** In a time that does not depend on how much of it is right. */
export const isSignedByTwilio = (
  authToken: string,
  url: string,
  fields: Readonly<Record<string, string>>,
  signature: string,
): boolean => {
  const expected = Buffer.from(twilioSignature(authToken, url, fields));
  const given = Buffer.from(signature);
  return expected.length === given.length && timingSafeEqual(expected, given);
};

/** Null while nothing is decided. https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks */
export const twilioReport = ({
  MessageStatus,
  ErrorCode,
}: TwilioReceipt): { status: 'delivered' | 'failed'; code: string | null } | null => {
  switch (MessageStatus) {
    case 'delivered':
      return { status: 'delivered', code: null };
    case 'undelivered':
    case 'failed':
      return { status: 'failed', code: /^\d{1,6}$/.test(ErrorCode ?? '') ? `twilio_${ErrorCode}` : MessageStatus };
    default:
      return null;
  }
};
