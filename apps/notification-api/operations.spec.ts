import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Operation, type OperationId, OPERATIONS } from '#contracts/http/operations';
import { type Asked, testApi, type TestApi } from './spec-api.js';
import { twilioSignature } from '#channels/sms/twilio/receipt';
import { anInboxItem } from '#testing/builders';
import { KNOWN_USER, RECEIPTS } from './spec-parts.js';

const RECIPIENT = `/api/services/diabetes/recipients/${KNOWN_USER}`;
const DEAD_LETTER = 'd'.repeat(24);
const READER = { serviceName: 'diabetes', userId: KNOWN_USER };
const ITEM = `${'e'.repeat(24)}-1`;
const LIMIT = { kind: 'token-bucket', max: 7, periodSeconds: 60 };
const template = {
  serviceName: 'diabetes',
  name: 'dose-reminder',
  channel: 'push',
  content: { title: 'Insulin', body: 'Time for {{dose}}' },
  variables: { type: 'object', required: ['dose'], properties: { dose: { type: 'string' } } },
};
const notification = { serviceName: 'diabetes', userId: KNOWN_USER, body: 'Time for your dose' };
const group = { ...notification, channels: ['push', 'email'], title: 'Insulin', to: { email: 'ada@example.org' } };

const signedReceipt = (deliveryId: string): Asked => {
  const path = `/api/receipts/twilio?serviceName=diabetes&deliveryId=${deliveryId}`;
  const fields = { MessageSid: 'SM1', MessageStatus: 'delivered' };
  return {
    method: 'POST',
    path,
    body: new URLSearchParams(fields).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': twilioSignature(RECEIPTS.TWILIO_AUTH_TOKEN, RECEIPTS.SMS_RECEIPTS_URL + path, fields),
    },
  };
};

describe('operations', () => {
  let api: TestApi;
  let id: string;
  let bulkId: string;
  let groupId: string;
  let deviceId: string;
  let keyId: string;
  let templateId: string;
  let draftId: string;
  let token: string;

  const made = async (asked: Asked): Promise<string> => String((await api.ask(asked)).body['id']);

  beforeAll(async () => {
    api = await testApi();
    id = await made({ method: 'POST', path: '/api/notifications', body: notification });
    bulkId = await made({
      method: 'POST',
      path: '/api/notifications/bulk',
      body: { serviceName: 'diabetes', notifications: [notification, { body: '' }] },
    });
    groupId = await made({ method: 'POST', path: '/api/groups', body: group });
    await api.ask({ method: 'PUT', path: RECIPIENT, body: { email: 'ada@example.org' } });
    deviceId = await made({
      method: 'POST',
      path: `${RECIPIENT}/devices`,
      body: { token: 'a-token', platform: 'ios' },
    });
    templateId = await made({ method: 'POST', path: '/api/templates', body: template });
    draftId = await made({ method: 'POST', path: '/api/templates', body: template });
    keyId = await made({
      method: 'POST',
      path: '/api/keys',
      body: { owner: 'billing', scopes: ['notifications:send'], services: ['diabetes'] },
    });
    const issued = await api.ask({ method: 'POST', path: '/api/inbox/tokens', body: READER });
    token = String(issued.body['token']);
    await api.inboxStore.deposit([anInboxItem({ id: ITEM, ...READER })]);
  });
  afterAll(() => api.app.close());

  const action =
    (name: string, body?: unknown): (() => Asked) =>
    () => ({
      method: 'POST',
      path: `/api/notifications/${id}/${name}`,
      body,
    });

  /** One good request for each operation; in this order, for some of them end what others look at. */
  const requests: Record<OperationId, () => Asked> = {
    createTemplate: () => ({ method: 'POST', path: '/api/templates', body: template }),
    cleanUp: () => ({ method: 'POST', path: '/api/maintenance/cleanup', body: { dryRun: true, olderThanDays: 7 } }),
    listTemplates: () => ({ method: 'GET', path: '/api/templates?limit=1&channel=push&status=draft' }),
    getTemplate: () => ({ method: 'GET', path: '/api/templates/dose-reminder?locale=default' }),
    putTemplate: () => ({
      method: 'PUT',
      path: `/api/templates/dose-reminder/versions/${templateId}`,
      body: { content: { body: 'Now' } },
    }),
    publishTemplate: () => ({ method: 'POST', path: `/api/templates/dose-reminder/versions/${templateId}/publish` }),
    deleteTemplate: () => ({ method: 'DELETE', path: `/api/templates/dose-reminder/versions/${draftId}` }),
    previewTemplate: () => ({
      method: 'POST',
      path: '/api/templates/dose-reminder/preview',
      body: { serviceName: 'diabetes', channel: 'push', variables: {} },
    }),
    testSendTemplate: () => ({
      method: 'POST',
      path: '/api/templates/dose-reminder/test-send',
      body: { serviceName: 'diabetes', channel: 'push', userId: KNOWN_USER, version: 1 },
    }),
    invalidateTemplates: () => ({ method: 'POST', path: '/api/templates/invalidate', body: { name: 'dose-reminder' } }),
    createNotification: () => ({ method: 'POST', path: '/api/notifications', body: notification }),
    listNotifications: () => ({
      method: 'GET',
      path: '/api/notifications?limit=1&status=pending&status=sent&channel=push',
    }),
    getStatistics: () => ({ method: 'GET', path: '/api/notifications/stats?serviceName=diabetes' }),
    createBulk: () => ({
      method: 'POST',
      path: '/api/notifications/bulk',
      body: { content: { body: 'Closed' }, recipients: [{ userId: KNOWN_USER }], serviceName: 'test' },
    }),
    createGroup: () => ({ method: 'POST', path: '/api/groups', body: group }),
    getGroup: () => ({ method: 'GET', path: `/api/groups/${groupId}` }),
    getNotification: () => ({ method: 'GET', path: `/api/notifications/${id}` }),
    approveNotification: action('approve', { note: 'fine' }),
    approveNotifications: () => ({
      method: 'POST',
      path: '/api/notifications/approve',
      body: { ids: [id, 'f'.repeat(24)] },
    }),
    rejectNotification: action('reject', { reason: 'Wrong dose' }),
    cancelNotification: action('cancel'),
    retryNotification: action('retry'),
    resolveNotification: action('resolve', { outcome: 'sent' }),
    markNotificationRead: action('read'),
    getBulk: () => ({ method: 'GET', path: `/api/bulks/${bulkId}` }),
    listBulkRefusals: () => ({ method: 'GET', path: `/api/bulks/${bulkId}/refused` }),
    cancelBulk: () => ({ method: 'POST', path: `/api/bulks/${bulkId}/cancel` }),
    putRecipient: () => ({ method: 'PUT', path: RECIPIENT, body: { locale: 'fr-CI' } }),
    getRecipient: () => ({ method: 'GET', path: RECIPIENT }),
    createDevice: () => ({ method: 'POST', path: `${RECIPIENT}/devices`, body: { token: 'another', platform: 'web' } }),
    deleteDevice: () => ({ method: 'DELETE', path: `${RECIPIENT}/devices/${deviceId}` }),
    listUnread: () => ({ method: 'GET', path: `${RECIPIENT}/notifications/unread?limit=5` }),
    deleteRecipient: () => ({ method: 'DELETE', path: RECIPIENT }),
    listDeadLetters: () => ({ method: 'GET', path: '/api/dead-letters?class=schema&createdFrom=2026-01-01T00:00:00Z' }),
    replayDeadLetters: () => ({ method: 'POST', path: '/api/dead-letters/replay', body: { class: 'provider' } }),
    getDeadLetter: () => ({ method: 'GET', path: `/api/dead-letters/${DEAD_LETTER}` }),
    replayDeadLetter: () => ({ method: 'POST', path: `/api/dead-letters/${DEAD_LETTER}/replay` }),
    dropDeadLetter: () => ({ method: 'DELETE', path: `/api/dead-letters/${DEAD_LETTER}` }),
    takeOrangeReceipt: () => ({
      method: 'POST',
      path: '/api/receipts/orange?token=new-token-of-24-characters',
      body: {
        deliveryInfoNotification: { callbackData: 'r-1', deliveryInfo: { deliveryStatus: 'DeliveredToTerminal' } },
      },
    }),
    takeTwilioReceipt: () => signedReceipt(`${id}-1`),
    createKey: () => ({
      method: 'POST',
      path: '/api/keys',
      body: { owner: 'crm', scopes: ['notifications:read'], services: ['test'] },
    }),
    listKeys: () => ({ method: 'GET', path: '/api/keys?limit=2' }),
    rotateKey: () => ({ method: 'POST', path: `/api/keys/${keyId}/rotate`, body: { graceSeconds: 60 } }),
    createInboxToken: () => ({ method: 'POST', path: '/api/inbox/tokens', body: READER }),
    listInbox: () => ({ method: 'GET', path: '/api/inbox?unread=true&limit=2' }),
    countUnreadInbox: () => ({ method: 'GET', path: '/api/inbox/unread-count' }),
    // Open without end: see inbox.spec.ts.
    streamInbox: () => ({ method: 'GET', path: '/api/inbox/stream' }),
    readInboxItem: () => ({ method: 'POST', path: `/api/inbox/${ITEM}/read` }),
    unreadInboxItem: () => ({ method: 'POST', path: `/api/inbox/${ITEM}/unread` }),
    readAllInbox: () => ({ method: 'POST', path: '/api/inbox/read-all', body: { upTo: '2030-01-01T00:00:00Z' } }),
    deleteInboxItem: () => ({ method: 'DELETE', path: `/api/inbox/${ITEM}` }),
    listProviders: () => ({ method: 'GET', path: '/api/providers' }),
    disableProvider: () => ({ method: 'POST', path: '/api/providers/sms/orange/disable', body: { reason: 'slow' } }),
    enableProvider: () => ({ method: 'POST', path: '/api/providers/sms/orange/enable' }),
    listLimits: () => ({ method: 'GET', path: '/api/limits' }),
    putChannelLimit: () => ({ method: 'PUT', path: '/api/limits/services/diabetes/email', body: LIMIT }),
    deleteChannelLimit: () => ({ method: 'DELETE', path: '/api/limits/services/diabetes/email' }),
    putProviderLimit: () => ({ method: 'PUT', path: '/api/limits/providers/sms/twilio', body: LIMIT }),
    deleteProviderLimit: () => ({ method: 'DELETE', path: '/api/limits/providers/sms/twilio' }),
    revokeKey: () => ({ method: 'DELETE', path: `/api/keys/${keyId}` }),
  };
  const all = Object.entries(requests).map(([name, request]) => [name, request] as const);
  const operationOf = (name: string): Operation => OPERATIONS[name as OperationId];
  const keyed = all.filter(([name]) => operationOf(name).signed !== true);

  it('are all tried here', () => {
    expect(Object.keys(requests).sort()).toEqual(Object.keys(OPERATIONS).sort());
  });

  it('need a key, but for the receipts of providers', () => {
    expect(all.map(([name]) => name).filter((name) => operationOf(name).signed === true)).toEqual([
      'takeOrangeReceipt',
      'takeTwilioReceipt',
    ]);
    for (const [name] of all) {
      const { scopes, signed, reader } = operationOf(name);
      expect(scopes.length === 0).toBe(signed === true || reader === true);
    }
  });

  it.each(keyed)('%s lets nobody in without a key', async (name, request) => {
    const answer = await api.ask({ ...request(), key: null });
    expect(answer).toMatchObject(
      operationOf(name).reader === true
        ? {
            status: 401,
            body: { code: 'invalid_token' },
            headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
          }
        : { status: 401, body: { code: 'unauthorized' }, headers: { 'www-authenticate': 'Bearer' } },
    );
  });

  it.each(all.filter(([name]) => operationOf(name).reader === true))('%s takes no key', async (_name, request) => {
    expect(await api.ask(request())).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
  });

  it.each(keyed.filter(([name]) => operationOf(name).reader !== true))(
    '%s needs one of its scopes, whatever else is wrong',
    async (name, request) => {
      const { scopes } = operationOf(name);
      const others = (
        ['notifications:send', 'notifications:mark', 'recipients:read', 'dead-letters:read'] as const
      ).filter((scope) => !scopes.includes(scope));
      const { text } = await api.issue({ scopes: others });
      const asked = request();
      const path = asked.path.replace(/[0-9a-f]{24}/, 'not-an-id');
      const answer = await api.ask({
        ...asked,
        path,
        key: text,
        body: asked.body === undefined ? undefined : { no: 1 },
      });
      expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    },
  );

  it.each(all.filter(([name]) => name !== 'streamInbox'))('%s answers as its schema says', async (name, request) => {
    const operation = operationOf(name);
    const answer = await api.ask({ ...request(), ...(operation.reader === true ? { key: token } : {}) });
    if (name === 'rejectNotification') {
      expect(answer).toMatchObject({
        status: 409,
        body: { code: 'invalid_transition', state: 'approved', allowed: ['cancel'] },
      });
      return;
    }
    expect(answer.status).toBe(operation.answer.status);
    expect(answer.headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
    if (operation.answer.body === undefined) expect(answer.text).toBe('');
    else expect(operation.answer.body.safeParse(answer.body).error).toBeUndefined();
  });
});
