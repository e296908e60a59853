import { describe, expect, it } from '@jest/globals';
import { Unavailable } from '#domain/errors';
import type { InboxDeposits, NewInboxItem } from '#inbox/ports';
import { MemoryInboxStore } from '#testing/memory-inbox';
import { sendRequest } from '../conformance.js';
import { InAppSender } from './sender.js';

const READER = { serviceName: 'test', tenantId: null, userId: 'p-1042' };
const request = (n: number) => sendRequest({ target: 'p-1042', deliveryId: `66f1c0de9a1b2c3d4e5f607${n}-1` });
const never = (): AbortSignal => new AbortController().signal;
const senderOver = (inbox: InboxDeposits, timeoutMs = 10_000): InAppSender =>
  new InAppSender({ inbox, retentionDays: 90, timeoutMs });
const hanging = (): { inbox: InboxDeposits; asked: Promise<void> } => {
  let tell = (): void => undefined;
  const asked = new Promise<void>((resolve) => (tell = resolve));
  return { inbox: { deposit: () => (tell(), new Promise(() => undefined)) }, asked };
};

describe('the sender of in-app', () => {
  it('says what it can do', () => {
    expect(senderOver(new MemoryInboxStore())).toMatchObject({
      channel: 'in-app',
      batchSize: 500,
      concurrency: 4,
      timeoutMs: 10_000,
    });
  });

  it('has nothing to say about nothing', async () => {
    expect(await senderOver(new MemoryInboxStore()).send([], never())).toEqual([]);
  });

  it('puts each delivery into the inbox of its target, under its own id', async () => {
    const store = new MemoryInboxStore();
    const outcomes = await senderOver(store).send([1, 2, 3].map(request), never());
    expect(outcomes).toEqual(
      [1, 2, 3].map((n) => ({
        kind: 'sent',
        provider: 'inbox',
        providerMessageId: request(n).deliveryId,
        providerStatus: null,
      })),
    );
    const items = await store.list(READER, { unread: true }, 10, null);
    expect(items.map(({ id }) => id).sort()).toEqual([1, 2, 3].map((n) => request(n).deliveryId));
    expect(items[0]).toMatchObject({
      title: 'Insulin',
      body: 'Time for your 8:00 dose',
      type: 'reminder',
      readAt: null,
    });
  });

  it('keeps it as long as it is told', async () => {
    let kept: readonly NewInboxItem[] = [];
    const before = Date.now();
    await senderOver({ deposit: (items) => ((kept = items), Promise.resolve()) }).send([request(1)], never());
    const days = ((kept[0]?.expiresAt.getTime() ?? 0) - before) / 86_400_000;
    expect(Math.round(days)).toBe(90);
  });

  it('makes one item of what it is given twice', async () => {
    const store = new MemoryInboxStore();
    const sender = senderOver(store);
    await sender.send([request(1)], never());
    await store.mark(READER, request(1).deliveryId, true);
    expect(await sender.send([{ ...request(1), attempt: 2 }], never())).toMatchObject([{ kind: 'sent' }]);
    expect(store.rows.size).toBe(1);
    expect(await store.countUnread(READER)).toBe(0);
  });

  it.each([
    [new Unavailable('the database'), { kind: 'provider_down', code: 'provider_unreachable', class: 'provider' }],
    [new Error('secret words'), { kind: 'transient', code: 'provider_unavailable', class: 'provider' }],
  ])('is to be tried again after %s', async (error, expected) => {
    const outcomes = await senderOver({ deposit: () => Promise.reject(error) }).send([1, 2].map(request), never());
    expect(outcomes).toMatchObject([expected, expected]);
    expect(JSON.stringify(outcomes)).not.toContain('secret');
  });

  it('gives up in time, and is never uncertain: it can be repeated', async () => {
    const outcomes = await senderOver(hanging().inbox, 20).send([request(1)], never());
    expect(outcomes).toMatchObject([{ kind: 'transient', code: 'timeout' }]);
  });

  it('stores nothing once the lease has ended, and waits no longer than the lease', async () => {
    const store = new MemoryInboxStore();
    const ended = { kind: 'transient', code: 'lease_ended' };
    expect(await senderOver(store).send([request(1)], AbortSignal.abort())).toMatchObject([ended]);
    expect(store.rows.size).toBe(0);
    const { inbox, asked } = hanging();
    const lease = new AbortController();
    const sending = senderOver(inbox).send([request(1)], lease.signal);
    await asked;
    lease.abort();
    expect(await sending).toMatchObject([ended]);
  });
});
