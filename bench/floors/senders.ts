import { Agent } from 'node:https';
import { connect, type Socket } from 'node:net';
import { initializeApp } from 'firebase-admin/app';
import { getMessaging } from 'firebase-admin/messaging';
import { createTransport } from 'nodemailer';
import { Pool } from 'undici';
import { composeMessage } from '#channels/email/message';
import { pushMessage } from '#channels/push/message';
import { sign } from '#channels/webhook/signature';
import type { Channel } from '#contracts/vocabulary';
import type { SendRequest } from '#domain/sender';
import { required } from './environment.js';

/** Sends what was claimed together. @throws Error when one of them fails */
export type BareSender = (requests: readonly SendRequest[]) => Promise<unknown>;

/** The libraries that the product uses, set up as a page of their documentation would, with as many connections. Of those channels that a bench drains. */
export const bareSender = {
  push: (): BareSender => {
    const endpoint = new URL(required('FCM_ENDPOINT'));
    class ToEndpoint extends Agent {
      override createConnection(): Socket {
        return connect(Number(endpoint.port), endpoint.hostname).setNoDelay(true);
      }
    }
    const credential = { getAccessToken: () => Promise.resolve({ access_token: 'floor', expires_in: 3600 }) };
    const httpAgent = new ToEndpoint({ keepAlive: true, maxSockets: 64 });
    const messaging = getMessaging(initializeApp({ projectId: required('FCM_PROJECT_ID'), credential, httpAgent }));
    messaging.enableLegacyHttpTransport();
    return async (requests) => {
      const now = new Date();
      const { failureCount } = await messaging.sendEach(requests.map((request) => pushMessage(request, now)));
      if (failureCount > 0) throw new Error(`${failureCount} pushes failed`);
    };
  },

  email: (): BareSender => {
    const transport = createTransport({
      host: required('SMTP_HOST'),
      port: Number(required('SMTP_PORT')),
      auth: { user: required('SMTP_USER'), pass: required('SMTP_PASSWORD') },
      tls: { rejectUnauthorized: false },
      pool: true,
      maxConnections: 50,
      maxMessages: Infinity,
    });
    const from = { name: 'Carillon', address: 'carillon@example.org', messageIdDomain: 'example.org' };
    return (requests) =>
      Promise.all(
        requests.map((request) =>
          transport.sendMail({
            envelope: { from: from.address, to: request.target },
            raw: composeMessage(request, from, new Date()),
          }),
        ),
      );
  },

  sms: (): BareSender => {
    const pool = new Pool(required('ORANGE_BASE_URL'), { connections: 32 });
    const sender = `tel:${required('ORANGE_SENDER_ADDRESS')}`;
    const path = `/smsmessaging/v1/outbound/${encodeURIComponent(sender)}/requests`;
    const token = pool
      .request({
        path: '/oauth/v3/token',
        method: 'POST',
        headers: { authorization: 'Basic Zmxvb3I6Zmxvb3I=' },
        body: 'grant_type=client_credentials',
      })
      .then(async ({ body }) => ((await body.json()) as { access_token: string }).access_token);
    return (requests) =>
      Promise.all(
        requests.map(async ({ deliveryId, target, body: message }) => {
          const answer = await pool.request({
            path,
            method: 'POST',
            headers: { authorization: `Bearer ${await token}`, 'content-type': 'application/json' },
            body: JSON.stringify({
              outboundSMSMessageRequest: {
                address: `tel:${target}`,
                senderAddress: sender,
                outboundSMSTextMessage: { message },
                clientCorrelator: deliveryId,
              },
            }),
          });
          await answer.body.dump();
          if (answer.statusCode !== 201) throw new Error(`the SMS was answered ${answer.statusCode}`);
        }),
      );
  },

  webhook: (): BareSender => {
    const secret = Buffer.from(required('WEBHOOK_SECRETS').replace(/^\*=whsec_/, ''), 'base64');
    const pools = new Map<string, Pool>();
    return (requests) =>
      Promise.all(
        requests.map(async ({ deliveryId, target, type, createdAt, ...data }) => {
          const { origin, pathname } = new URL(target);
          let pool = pools.get(origin);
          if (pool === undefined) pools.set(origin, (pool = new Pool(origin, { connections: 64 })));
          const { notificationId, serviceName, userId, reference, title, body: text } = data;
          const body = JSON.stringify({
            type: `notification.${type}`,
            timestamp: createdAt.toISOString(),
            data: { notificationId, serviceName, userId, reference, title, body: text, data: data.data },
          });
          const timestamp = String(Math.floor(Date.now() / 1000));
          const answer = await pool.request({
            path: pathname,
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              'webhook-id': deliveryId,
              'webhook-timestamp': timestamp,
              'webhook-signature': sign([secret], deliveryId, timestamp, body),
            },
            body,
          });
          await answer.body.dump();
          if (answer.statusCode !== 200) throw new Error(`the webhook answered ${answer.statusCode}`);
        }),
      );
  },
} satisfies Partial<Record<Channel, () => BareSender>>;
