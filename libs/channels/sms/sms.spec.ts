import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type SandboxClient, startSandboxClient } from '../../../apps/sandbox/client.js';
import { InvalidSettings } from '#config/settings';
import type { Outcome } from '#domain/outcome';
import { sendRequest } from '../conformance.js';
import { smsSender } from './spec-sms.js';

let sandbox: SandboxClient;
beforeAll(async () => {
  sandbox = await startSandboxClient();
});
afterAll(() => sandbox.close());
beforeEach(() => sandbox.call('/received', { method: 'DELETE' }));

const REQUEST = sendRequest({ target: '+2250707123456', body: 'À 8:00 & after: 5 mg + “rest”', title: 'Insulin' });

const send = async (variables: Record<string, string>): Promise<Outcome | undefined> => {
  const sender = smsSender(sandbox.httpUrl, variables);
  try {
    return (await sender.send([REQUEST], new AbortController().signal))[0];
  } finally {
    await sender.close();
  }
};
const received = async (): Promise<Record<string, unknown>> => {
  const { data } = (await sandbox.call('/received?channel=sms')) as { data: { sequence: number }[] };
  return (await sandbox.call(`/received/${data[0]?.sequence}`)) as Record<string, unknown>;
};

describe('an SMS', () => {
  it("goes out by Orange as its documentation says, and keeps the resource's id", async () => {
    const outcome = await send({ SMS_PROVIDERS: 'orange,twilio', ORANGE_SENDER_NAME: 'Clinic' });
    const { id, content } = await received();
    expect(outcome).toEqual({ kind: 'sent', provider: 'orange', providerMessageId: id, providerStatus: '201' });
    expect(content).toEqual({
      outboundSMSMessageRequest: {
        address: 'tel:+2250707123456',
        senderAddress: 'tel:+2250000',
        senderName: 'Clinic',
        outboundSMSTextMessage: { message: REQUEST.body },
        clientCorrelator: REQUEST.deliveryId,
      },
    });
  });

  it('goes out by Twilio as its documentation says, and keeps the sid', async () => {
    const outcome = await send({ SMS_PROVIDERS: 'twilio,orange', SMS_RECEIPTS_URL: 'https://notify.example.org/' });
    const { id, content } = await received();
    expect(outcome).toEqual({ kind: 'sent', provider: 'twilio', providerMessageId: id, providerStatus: '201' });
    expect(content).toEqual({
      To: '+2250707123456',
      From: '+15005550006',
      Body: REQUEST.body,
      StatusCallback: `https://notify.example.org/api/receipts/twilio?serviceName=test&deliveryId=${REQUEST.deliveryId}`,
    });
  });

  it('asks for no receipt where nobody could bring it', async () => {
    await send({ SMS_PROVIDERS: 'twilio', SMS_RECEIPTS_URL: '' });
    expect((await received())['content']).not.toHaveProperty('StatusCallback');
  });

  it.each([
    [
      { SMS_PROVIDERS: 'orange', ORANGE_CLIENT_SECRET: '' },
      /ORANGE_CLIENT_SECRET is required: SMS_PROVIDERS names orange/,
    ],
    [{ SMS_PROVIDERS: 'twilio', TWILIO_FROM: '' }, /TWILIO_FROM is required: SMS_PROVIDERS names twilio/],
    [{ SMS_PROVIDERS: 'orange,orange' }, /SMS_PROVIDERS must be of orange, twilio, each once/],
    [{ SMS_PROVIDERS: ' , ' }, /SMS_PROVIDERS must be of orange, twilio, each once/],
    [{ ORANGE_SENDER_ADDRESS: '2250000' }, /ORANGE_SENDER_ADDRESS must be a number/],
    [{ ORANGE_SENDER_NAME: 'far too long a name' }, /ORANGE_SENDER_NAME must be 1 to 11/],
    [{ TWILIO_ACCOUNT_SID: 'AC1' }, /TWILIO_ACCOUNT_SID must be AC and 32 hex digits/],
    [{ ORANGE_BASE_URL: 'ftp://x' }, /ORANGE_BASE_URL must be an http or https URL/],
    [{ ORANGE_RECEIPT_TOKENS: 'short' }, /ORANGE_RECEIPT_TOKENS must be 24 to 128/],
  ])('cannot be configured by %j', async (variables, problem) => {
    await expect(send(variables)).rejects.toThrow(InvalidSettings);
    await expect(send(variables)).rejects.toThrow(problem);
    await expect(send(variables)).rejects.not.toThrow(/client-secret|auth-token/);
  });
});
