import { createHmac } from 'node:crypto';
import type { SandboxSettings } from '../settings.js';

/** What becomes of each message, told as the two providers tell it; nobody is told of a call that fails. */
export class ReceiptSender {
  constructor(
    private readonly settings: Pick<
      SandboxSettings,
      'SANDBOX_SMS_RECEIPTS' | 'SANDBOX_ORANGE_RECEIPTS_URL' | 'SANDBOX_TWILIO_AUTH_TOKEN'
    >,
    private readonly closing: AbortSignal,
  ) {}

  /** To the one URL that the operator gave Orange. */
  orange(resourceId: string, address: string): void {
    const { SANDBOX_SMS_RECEIPTS: outcome, SANDBOX_ORANGE_RECEIPTS_URL: url } = this.settings;
    if (outcome === 'none' || url === undefined) return;
    const deliveryStatus = outcome === 'delivered' ? 'DeliveredToTerminal' : 'DeliveryImpossible';
    const body = {
      deliveryInfoNotification: { callbackData: resourceId, deliveryInfo: { address, deliveryStatus } },
    };
    this.post(url, { 'content-type': 'application/json' }, JSON.stringify(body));
  }

  /** To the URL that the message named, signed. https://www.twilio.com/docs/usage/security#validating-requests */
  twilio(url: string | null, message: { sid: string; to: string; from: string }): void {
    const { SANDBOX_SMS_RECEIPTS: outcome, SANDBOX_TWILIO_AUTH_TOKEN: authToken } = this.settings;
    if (outcome === 'none' || url === null) return;
    const fields: [string, string][] = [
      ['From', message.from],
      ['MessageSid', message.sid],
      ['MessageStatus', outcome === 'delivered' ? 'delivered' : 'undelivered'],
      ['To', message.to],
      ...(outcome === 'failed' ? [['ErrorCode', '30003'] as [string, string]] : []),
    ];
    const signed =
      url +
      [...fields]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flat()
        .join('');
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': createHmac('sha1', authToken).update(signed).digest('base64'),
    };
    this.post(url, headers, new URLSearchParams(fields).toString());
  }

  private post(url: string, headers: Record<string, string>, body: string): void {
    fetch(url, { method: 'POST', headers, body, signal: this.closing }).then(
      (response) => response.body?.cancel(),
      () => undefined,
    );
  }
}
