import { beforeEach, describe, expect, it } from '@jest/globals';
import { BULK_STATUSES, type BulkStatus } from '#contracts/vocabulary';
import { Conflict, InsufficientScope, InvalidTransition, NotFound } from '#domain/errors';
import { callerOf } from '#testing/callers';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { MemoryBulks } from '#testing/memory-upkeep';
import { BulkCancellation } from './cancel-bulk.js';

const NOW = new Date('2026-11-21T08:00:30.000Z');
const BULK = 'b'.repeat(24);

let store = new MemoryNotifications(NOW);
let bulks = new MemoryBulks();
let cancellation: BulkCancellation;
beforeEach(() => {
  store = new MemoryNotifications(NOW);
  bulks = new MemoryBulks();
  cancellation = new BulkCancellation({ bulks, store, now: () => NOW });
});

const add = (status: BulkStatus): void => bulks.add({ id: BULK, serviceName: 'diabetes', owner: 'billing', status });
const cancel = (caller = callerOf()): Promise<void> => cancellation.cancel(caller, BULK, { note: 'wrong list' });

describe('cancelling a bulk', () => {
  it('cancels what it has not sent, which the relay then tells', async () => {
    add('running');
    const [waits, drafted, sending, sent, other] = [
      notificationOf({ bulkId: BULK }),
      notificationOf({ bulkId: BULK, state: 'draft' }),
      notificationOf({ bulkId: BULK, state: 'sending' }),
      notificationOf({ bulkId: BULK, state: 'sent' }),
      notificationOf({ bulkId: 'c'.repeat(24) }),
    ].map((notification) => store.add(notification).id);
    await cancel();
    const states = [waits, drafted, sending, sent, other].map((id) => store.get(id ?? '').state);
    expect(states).toEqual(['cancelled', 'cancelled', 'sending', 'sent', 'approved']);
    expect(bulks.documents.get(BULK)?.status).toBe('cancelling');
    expect(store.get(waits ?? '').history.at(-1)).toEqual({
      from: 'approved',
      to: 'cancelled',
      at: NOW,
      actor: 'key:1',
      reason: 'wrong list',
    });
    expect((await store.findOwed('diabetes', 10)).map(({ notification }) => notification.id)).toEqual([waits, drafted]);
  });

  it.each(BULK_STATUSES)('while %s', async (status) => {
    add(status);
    if (status === 'completed' || status === 'accepting')
      await expect(cancel()).rejects.toBeInstanceOf(InvalidTransition);
    else await cancel();
    expect(bulks.documents.get(BULK)?.status).toBe(status === 'running' ? 'cancelling' : status);
  });

  it('needs to manage what another client sent', async () => {
    add('running');
    await expect(cancel(callerOf({ owner: 'other', scopes: new Set(['notifications:send']) }))).rejects.toBeInstanceOf(
      InsufficientScope,
    );
    await cancel(callerOf({ owner: 'other', scopes: new Set(['notifications:manage']) }));
    expect(bulks.documents.get(BULK)?.status).toBe('cancelling');
  });

  it('is hidden from those who may not use its service', async () => {
    await expect(cancel()).rejects.toBeInstanceOf(NotFound);
    add('running');
    await expect(cancel(callerOf({ services: new Set(['wellness']) }))).rejects.toBeInstanceOf(NotFound);
  });

  it.each<[BulkStatus, typeof InvalidTransition | typeof Conflict | null]>([
    ['completed', InvalidTransition],
    ['cancelling', null],
    ['cancelled', null],
    ['running', Conflict],
  ])('that lost a race against one that made it %s', async (status, error) => {
    add('running');
    bulks.move = () => {
      add(status);
      return Promise.resolve(null);
    };
    if (error === null) await cancel();
    else await expect(cancel()).rejects.toBeInstanceOf(error);
  });
});
