import { describe, expect, it } from '@jest/globals';
import { sendRequest } from '../conformance.js';
import { pushMessage } from './message.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const message = (over: Parameters<typeof sendRequest>[0] | object = {}): ReturnType<typeof pushMessage> =>
  pushMessage(sendRequest({ target: 'token', ...over }), now);

describe('a push message', () => {
  it('carries content, data as strings, and the ids', () => {
    const { token, notification, data } = message({ data: { rx: '9931', dose: 8, when: { hour: 8 } } });
    expect({ token, notification, data }).toEqual({
      token: 'token',
      notification: { title: 'Insulin', body: 'Time for your 8:00 dose' },
      data: {
        rx: '9931',
        dose: '8',
        when: '{"hour":8}',
        notificationId: '66f1c0de9a1b2c3d4e5f6071',
        deliveryId: '66f1c0de9a1b2c3d4e5f6071-1',
      },
    });
  });

  it.each([
    ['alert', 'high', '10', 'default', 86_400],
    ['reminder', 'high', '10', 'default', 14_400],
    ['info', 'normal', '5', undefined, 604_800],
  ] as const)('of type %s has its own manner', (type, priority, apnsPriority, sound, ttl) => {
    const { android, apns, webpush } = message({ type });
    expect(android).toMatchObject({ priority, ttl: ttl * 1000, collapseKey: type });
    expect(android?.notification?.sound).toBe(sound);
    expect(apns?.headers).toMatchObject({
      'apns-priority': apnsPriority,
      'apns-expiration': String(now.getTime() / 1000 + ttl),
    });
    expect(apns?.payload?.aps.sound).toBe(sound);
    expect(webpush?.headers).toEqual({ TTL: String(ttl), Urgency: priority });
  });

  it.each([
    ['info', 'high', 'high', '10'],
    ['alert', 'low', 'normal', '5'],
    ['alert', 'normal', 'high', '10'],
  ] as const)('of type %s and priority %s goes as %s', (type, priority, expected, apnsPriority) => {
    const { android, apns } = message({ type, priority });
    expect(android?.priority).toBe(expected);
    expect(apns?.headers?.['apns-priority']).toBe(apnsPriority);
  });

  it('lives no longer than the notification', () => {
    const ttlOf = (expiresAt: string): unknown => message({ expiresAt: new Date(expiresAt) }).android?.ttl;
    expect(ttlOf('2026-11-21T08:01:00.500Z')).toBe(60_000);
    expect(ttlOf('2026-11-21T07:00:00.000Z')).toBe(0);
    expect(ttlOf('2027-11-21T08:00:00.000Z')).toBe(14_400_000);
  });

  it('replaces itself on the device, should it come twice', () => {
    const { android, apns } = message();
    expect(android?.notification?.tag).toBe('66f1c0de9a1b2c3d4e5f6071-1');
    expect(apns?.headers?.['apns-collapse-id']).toBe('66f1c0de9a1b2c3d4e5f6071-1');
  });

  it('is shown with its group', () => {
    expect(message({ groupId: 'g-1' }).apns?.payload?.aps.threadId).toBe('g-1');
    expect(message().apns?.payload?.aps).not.toHaveProperty('threadId');
  });
});
