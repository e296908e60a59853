import { createHash, timingSafeEqual } from 'node:crypto';
import type { OrangeReceipt } from '#contracts/http/receipts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Whether this is one of the tokens. Orange signs nothing and takes nothing but a URL: what it knows the caller by can
 * only stand there. Compared in a time that does not depend on how much of it is right.
 */
export const isReceiptToken = (tokens: readonly string[], given: string | undefined): boolean =>
  given !== undefined && tokens.map((token) => timingSafeEqual(digest(token), digest(given))).includes(true);

/** Null while nothing is decided, and where Orange itself does not know. https://developer.orange.com/apis/sms/getting-started */
export const orangeReport = ({
  deliveryInfoNotification: { callbackData, deliveryInfo },
}: OrangeReceipt): { providerMessageId: string; status: 'delivered' | 'failed'; code: string | null } | null => {
  // One SMS has one address.
  const [info] = [deliveryInfo].flat();
  switch (info?.deliveryStatus) {
    case 'DeliveredToTerminal':
      return { providerMessageId: callbackData, status: 'delivered', code: null };
    case 'DeliveryImpossible':
      return { providerMessageId: callbackData, status: 'failed', code: 'delivery_impossible' };
    default:
      return null;
  }
};
