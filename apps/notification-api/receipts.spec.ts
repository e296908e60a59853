import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { receiptUrl, twilioSignature } from '#channels/sms/twilio/receipt';
import { type Answered, testApi, type TestApi } from './spec-api.js';
import { RECEIPTS } from './spec-parts.js';

const DELIVERY = { serviceName: 'diabetes', deliveryId: `${'a'.repeat(24)}-2` };
const [OLD, NEW] = RECEIPTS.ORANGE_RECEIPT_TOKENS.split(',');
const REFUSED = { status: 403, body: { code: 'invalid_signature' } };
const FORM = 'application/x-www-form-urlencoded';

describe('receipts', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await testApi();
  });
  afterAll(() => api.app.close());
  beforeEach(() => void api.receipts.splice(0));

  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answered> =>
    api.ask({ method: 'POST', path, body, headers, key: null });

  describe('of Orange', () => {
    const receipt = (deliveryStatus: string, callbackData = 'r-1') => ({
      deliveryInfoNotification: { callbackData, deliveryInfo: { address: 'tel:+2250707123456', deliveryStatus } },
    });
    const orange = (body: unknown, token: string | undefined = NEW): Promise<Answered> =>
      post(`/api/receipts/orange${token === undefined ? '' : `?token=${token}`}`, body);

    it.each([
      ['DeliveredToTerminal', 'delivered', null],
      ['DeliveryImpossible', 'failed', 'delivery_impossible'],
    ])('%s is %s, of the SMS with that resource id', async (deliveryStatus, status, code) => {
      expect((await orange(receipt(deliveryStatus))).status).toBe(204);
      expect(api.receipts).toEqual([{ provider: 'orange', status, code, of: { providerMessageId: 'r-1' } }]);
    });

    it('may stand in a list, as in OneAPI', async () => {
      const body = {
        deliveryInfoNotification: { callbackData: 'r-2', deliveryInfo: [{ deliveryStatus: 'DeliveredToTerminal' }] },
      };
      expect((await orange(body, OLD)).status).toBe(204);
      expect(api.receipts).toMatchObject([{ of: { providerMessageId: 'r-2' } }]);
    });

    it.each(['DeliveredToNetwork', 'DeliveryUncertain', 'MessageWaiting', 'SomethingNew'])(
      '%s decides nothing',
      async (status) => {
        expect((await orange(receipt(status))).status).toBe(204);
        expect(api.receipts).toEqual([]);
      },
    );

    it('are refused without one of the tokens', async () => {
      for (const token of ['', `${NEW}x`, NEW?.slice(1), RECEIPTS.ORANGE_RECEIPT_TOKENS.replace(',', '%2C')])
        expect(await orange(receipt('DeliveredToTerminal'), token)).toMatchObject(REFUSED);
      expect(await post('/api/receipts/orange', receipt('DeliveredToTerminal'))).toMatchObject(REFUSED);
      const keyed = await api.ask({
        method: 'POST',
        path: '/api/receipts/orange',
        body: receipt('DeliveredToTerminal'),
      });
      expect(keyed).toMatchObject(REFUSED);
      expect(keyed.headers['content-type']).toContain('application/problem+json');
      expect(api.receipts).toEqual([]);
    });

    it('are refused with the field where they are something else', async () => {
      expect(await orange({ deliveryInfoNotification: { deliveryInfo: [] } })).toMatchObject({
        status: 422,
        body: { errors: expect.arrayContaining([expect.objectContaining({ in: 'body' })]) },
      });
    });
  });

  describe('of Twilio', () => {
    const url = receiptUrl(RECEIPTS.SMS_RECEIPTS_URL, DELIVERY);
    const path = url.slice(RECEIPTS.SMS_RECEIPTS_URL.length);
    const fields = (MessageStatus: string, more: Record<string, string> = {}) => ({
      MessageSid: 'SM1',
      AccountSid: 'AC1',
      To: '+33612345678',
      MessageStatus,
      ...more,
    });
    const twilio = (
      form: Record<string, string>,
      signature = twilioSignature(RECEIPTS.TWILIO_AUTH_TOKEN, url, form),
      at = path,
    ): Promise<Answered> =>
      post(at, new URLSearchParams(form).toString(), { 'content-type': FORM, 'x-twilio-signature': signature });

    it('are signed as Twilio documents it', () => {
      const example = {
        CallSid: 'CA1234567890ABCDE',
        Caller: '+14158675309',
        Digits: '1234',
        From: '+14158675309',
        To: '+18005551212',
      };
      expect(twilioSignature('12345', 'https://mycompany.com/myapp.php?foo=1&bar=2', example)).toBe(
        'RSOYDt4T1cUTdK1PDd93/VVr8B8=',
      );
    });

    it.each([
      [fields('delivered'), 'delivered', null],
      [fields('undelivered', { ErrorCode: '30003' }), 'failed', 'twilio_30003'],
      [fields('failed'), 'failed', 'failed'],
      [fields('undelivered', { ErrorCode: 'no code, but é=&+' }), 'failed', 'undelivered'],
    ])('%j is %s, of the delivery that the URL names', async (form, status, code) => {
      expect((await twilio(form)).status).toBe(204);
      expect(api.receipts).toEqual([{ provider: 'twilio', status, code, of: DELIVERY }]);
    });

    it.each(['queued', 'sending', 'sent', 'something-new'])('%s decides nothing', async (status) => {
      expect((await twilio(fields(status))).status).toBe(204);
      expect(api.receipts).toEqual([]);
    });

    it('are refused where anything was changed', async () => {
      const form = fields('delivered');
      const signature = twilioSignature(RECEIPTS.TWILIO_AUTH_TOKEN, url, form);
      expect(await twilio({ ...form, MessageStatus: 'failed' }, signature)).toMatchObject(REFUSED);
      expect(await twilio({ ...form, More: 'x' }, signature)).toMatchObject(REFUSED);
      expect(await twilio(form, signature, path.replace('-2', '-1'))).toMatchObject(REFUSED);
      expect(await twilio(form, twilioSignature('another token', url, form))).toMatchObject(REFUSED);
      expect(await twilio(form, '')).toMatchObject(REFUSED);
      expect(await post(path, new URLSearchParams(form).toString(), { 'content-type': FORM })).toMatchObject(REFUSED);
      expect(await post(path, form)).toMatchObject(REFUSED);
      expect(api.receipts).toEqual([]);
    });

    it('need a delivery in the URL', async () => {
      expect(await twilio(fields('delivered'), 'x', '/api/receipts/twilio')).toMatchObject({
        status: 400,
        body: { code: 'invalid_query' },
      });
    });
  });

  it('are the only calls that take a form', async () => {
    const answer = await api.ask({
      method: 'POST',
      path: '/api/notifications',
      body: 'body=x',
      headers: { 'content-type': FORM },
    });
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
  });
});
