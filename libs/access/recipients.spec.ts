import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Caller } from '#domain/caller';
import { NotFound, ValidationFailed } from '#domain/errors';
import { MemoryRecipientStore } from '#testing/memory-access';
import { Recipients } from './recipients.js';
import { recipientView } from './views.js';

const caller: Caller = {
  actor: 'key:1',
  owner: 'tests',
  scopes: new Set(),
  services: new Set(['diabetes']),
};
const profile = { email: 'Ada@EXAMPLE.org', locale: 'fr-CI', timezone: 'Africa/Abidjan', attributes: { ward: 3 } };

const errorsOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => [],
    (error: unknown) =>
      error instanceof ValidationFailed ? error.errors.map(({ field, code }) => [field, code]) : error,
  );

describe('Recipients', () => {
  let recipients: Recipients;
  beforeEach(() => {
    recipients = new Recipients(new MemoryRecipientStore(), () => 'CI');
  });

  it('write targets in their one spelling, and keep devices when the profile is replaced', async () => {
    await recipients.addDevice(caller, 'diabetes', 'p-1', { token: 'token-of-device', platform: 'android' });
    await recipients.put(caller, 'diabetes', 'p-1', profile);
    const view = recipientView(await recipients.get(caller, 'diabetes', 'p-1'));
    expect(view).toMatchObject({ email: 'Ada@example.org', webhookUrl: null, timezone: 'Africa/Abidjan' });
    expect(view.devices).toMatchObject([{ platform: 'android', token: expect.stringContaining('…') }]);
    expect(JSON.stringify(view)).not.toContain('token-of-device');
    await recipients.put(caller, 'diabetes', 'p-1', { attributes: {} });
    expect(await recipients.get(caller, 'diabetes', 'p-1')).toMatchObject({ email: null, devices: [{}] });
  });

  it("write phone numbers of the service's country as others do", async () => {
    await recipients.put(caller, 'diabetes', 'p-2', { phone: '07 07 12 34 56', attributes: {} });
    expect(recipientView(await recipients.get(caller, 'diabetes', 'p-2')).phone).toBe('+2250707123456');
    expect(await errorsOf(recipients.put(caller, 'diabetes', 'p-2', { phone: '0707', attributes: {} }))).toEqual([
      ['/phone', 'invalid_phone_number'],
    ]);
  });

  it('tell every field that is wrong', async () => {
    const wrong = { email: 'nobody', webhookUrl: 'ftp://example.org', timezone: 'Mars/Olympus', attributes: {} };
    expect(await errorsOf(recipients.put(caller, 'diabetes', 'p-1', wrong))).toEqual([
      ['/email', 'invalid_email'],
      ['/webhookUrl', 'invalid_url'],
      ['/timezone', 'invalid_timezone'],
    ]);
    const device = { token: 'white space', platform: 'ios' as const };
    expect(await errorsOf(recipients.addDevice(caller, 'diabetes', 'p-1', device))).toEqual([
      ['/token', 'invalid_token'],
    ]);
  });

  it('do not exist in services that the caller may not use, nor before they are made', async () => {
    const device = { token: 'a-token', platform: 'ios' as const };
    const tries = (service: string): Promise<unknown>[] => [
      recipients.get(caller, service, 'p-1'),
      recipients.delete(caller, service, 'p-1'),
      recipients.removeDevice(caller, service, 'p-1', 'a'.repeat(24)),
    ];
    for (const failed of [
      ...tries('diabetes'),
      ...tries('wellness'),
      recipients.put(caller, 'wellness', 'p-1', profile),
      recipients.addDevice(caller, 'wellness', 'p-1', device),
    ])
      await expect(failed).rejects.toThrow(NotFound);
  });

  it('go with their devices', async () => {
    const { id } = await recipients.addDevice(caller, 'diabetes', 'p-1', { token: 'a-token', platform: 'web' });
    await recipients.removeDevice(caller, 'diabetes', 'p-1', id);
    await expect(recipients.removeDevice(caller, 'diabetes', 'p-1', id)).rejects.toThrow(NotFound);
    await recipients.delete(caller, 'diabetes', 'p-1');
    await expect(recipients.get(caller, 'diabetes', 'p-1')).rejects.toThrow(NotFound);
  });
});
