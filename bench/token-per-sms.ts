/** The old way: for each SMS a token, then the message, one after the other, while the caller waits. */

export interface OldWay {
  sent: number;
  tokenErrors: number;
}

const AUTHORIZATION = `Basic ${Buffer.from('sandbox:sandbox').toString('base64')}`;
const SEND = '/smsmessaging/v1/outbound/tel%3A%2B2250000/requests';

const tokenOf = async (orange: string): Promise<string | null> => {
  const response = await fetch(`${orange}/oauth/v3/token`, {
    method: 'POST',
    headers: { authorization: AUTHORIZATION, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  });
  const body = (await response.json()) as { access_token?: string };
  return response.ok ? (body.access_token ?? null) : null;
};

const sendOne = async (orange: string, token: string, to: string, message: string): Promise<boolean> => {
  const response = await fetch(orange + SEND, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      outboundSMSMessageRequest: {
        address: `tel:${to}`,
        senderAddress: 'tel:+2250000',
        outboundSMSTextMessage: { message },
      },
    }),
  });
  await response.arrayBuffer();
  return response.ok;
};

export const tokenPerSms = async (orange: string, targets: readonly string[], message: string): Promise<OldWay> => {
  const found: OldWay = { sent: 0, tokenErrors: 0 };
  for (const to of targets) {
    const token = await tokenOf(orange);
    if (token === null) found.tokenErrors += 1;
    else if (await sendOne(orange, token, to, message)) found.sent += 1;
  }
  return found;
};
