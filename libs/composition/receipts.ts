import { isReceiptToken, orangeReport } from '#channels/sms/orange/receipt';
import type { ReceiptSettings } from '#channels/sms/receipts-settings';
import { isSignedByTwilio, twilioReport } from '#channels/sms/twilio/receipt';
import type { OrangeReceipt, TwilioReceipt } from '#contracts/http/receipts';
import { InvalidSignature } from '#domain/errors';
import type { Receipts } from '#lifecycle/receipts';

/** A receipt of Twilio's as it came in. */
export interface SignedReceipt {
  /** Path and query, as they were called. */
  url: string;
  signature: string | undefined;
  delivery: { serviceName: string; deliveryId: string };
  fields: TwilioReceipt;
}

/** Receipts as providers post them. Each method throws InvalidSignature, and what `Receipts.apply` throws. */
export interface ProviderReceipts {
  orange(token: string | undefined, receipt: OrangeReceipt): Promise<void>;
  twilio(receipt: SignedReceipt): Promise<void>;
}

/** Checks who posts, and what it means. Of a provider that is not configured for receipts nothing is taken. */
export const providerReceipts = (settings: ReceiptSettings, receipts: Pick<Receipts, 'apply'>): ProviderReceipts => ({
  async orange(token, receipt) {
    if (!isReceiptToken(settings.ORANGE_RECEIPT_TOKENS, token)) throw new InvalidSignature();
    const report = orangeReport(receipt);
    if (report === null) return;
    const { providerMessageId, status, code } = report;
    await receipts.apply({ provider: 'orange', status, code, of: { providerMessageId } });
  },

  async twilio({ url, signature, delivery, fields }) {
    const { SMS_RECEIPTS_URL: base, TWILIO_AUTH_TOKEN: authToken } = settings;
    if (base === undefined || authToken === undefined || signature === undefined) throw new InvalidSignature();
    if (!isSignedByTwilio(authToken, `${base}${url}`, fields, signature)) throw new InvalidSignature();
    const report = twilioReport(fields);
    if (report !== null) await receipts.apply({ provider: 'twilio', ...report, of: delivery });
  },
});
