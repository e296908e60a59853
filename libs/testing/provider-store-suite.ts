import { expect, it } from '@jest/globals';
import type { LimitRow, LimitStore } from '#limits/ports';
import type { ProviderReport, ProviderStore } from '#providers/ports';

const AT = new Date('2026-11-21T08:00:00.000Z');

/** What every store of limits does; it begins empty. */
export const limitStoreSuite = (open: () => LimitStore | Promise<LimitStore>): void => {
  it('keeps one limit for each subject, and tells which were there', async () => {
    const store = await open();
    const row = (subject: LimitRow['subject'], max: number | null): LimitRow => ({
      subject,
      kind: 'fixed-window',
      max,
      periodSeconds: 60,
      onLimit: 'wait',
      updatedAt: AT,
      updatedBy: 'key:1',
    });
    const ofService = { serviceName: 'diabetes', channel: 'sms', provider: null } as const;
    const ofProvider = { serviceName: null, channel: 'sms', provider: 'orange' } as const;
    await store.put(row(ofService, 5));
    await store.put(row(ofProvider, null));
    await store.put({ ...row(ofService, 7), onLimit: null });
    const all = (await store.all()).toSorted((a, b) => (a.max ?? 0) - (b.max ?? 0));
    expect(all).toEqual([row(ofProvider, null), { ...row(ofService, 7), onLimit: null }]);
    expect(await store.delete(ofService)).toBe(true);
    expect(await store.delete(ofService)).toBe(false);
    expect(await store.all()).toEqual([row(ofProvider, null)]);
  });
};

/** What every store of what is known of providers does; it begins empty. */
export const providerStoreSuite = (open: () => ProviderStore | Promise<ProviderStore>): void => {
  it('keeps who disabled a provider first, until it is enabled', async () => {
    const store = await open();
    const off = { channel: 'sms', name: 'orange', reason: 'slow', by: 'key:1', at: AT } as const;
    await store.disable(off);
    await store.disable({ ...off, reason: null, by: 'key:2' });
    expect(await store.disabled()).toEqual([off]);
    await store.enable('sms', 'twilio');
    await store.enable('sms', 'orange');
    await store.enable('sms', 'orange');
    expect(await store.disabled()).toEqual([]);
  });

  it('keeps the last report of each dispatcher', async () => {
    const store = await open();
    const report = (over: Partial<ProviderReport>): ProviderReport => ({
      channel: 'sms',
      name: 'orange',
      dispatcher: 'a',
      services: [{ serviceName: '*', order: 1 }],
      health: 'up',
      since: AT,
      lastError: null,
      counts: { sent: 1, failed: 0, uncertain: 0, rateLimited: 0 },
      at: AT,
      ...over,
    });
    const later = new Date(AT.getTime() + 5_000);
    await store.report([report({}), report({ name: 'twilio' }), report({ dispatcher: 'b' })]);
    const last = report({ health: 'down', lastError: { code: 'timeout', at: AT }, at: later });
    await store.report([last]);
    await store.report([]);
    expect(await store.reports(AT)).toHaveLength(3);
    expect(await store.reports(later)).toEqual([last]);
  });
};
