import { describe, expect, it } from '@jest/globals';
import { Ledger } from './ledger.js';
import { Ring } from './ring.js';

const open = (
  keep = 10,
): { ledger: Ledger; receive: (deliveryId: string | null, notificationId: string | null, target?: string) => void } => {
  let sequence = 0;
  const ledger = new Ledger(
    'push',
    new Ring(keep),
    () => ++sequence,
    () => undefined,
  );
  const receive = (deliveryId: string | null, notificationId: string | null, target = 'token'): void =>
    ledger.record({
      id: 'i',
      deliveryId,
      notificationId,
      target,
      signature: null,
      headers: {},
      raw: Buffer.from('{}'),
    });
  return { ledger, receive };
};

describe('Ledger', () => {
  it('tells a repeated delivery from a duplicate one', () => {
    const { ledger, receive } = open();
    receive('n1-1', 'n1');
    receive('n1-1', 'n1');
    receive('n2-1', 'n2', 'one');
    receive('n2-2', 'n2', 'other');
    expect(ledger.counts).toEqual({
      received: 4,
      distinctDeliveries: 3,
      distinctNotifications: 2,
      redelivered: 1,
      duplicates: 0,
      unidentified: 0,
    });
    receive('n2-3', 'n2', 'one');
    receive('n2-4', 'n2', 'one');
    expect(ledger.counts).toMatchObject({ distinctDeliveries: 5, redelivered: 1, duplicates: 1 });
    expect(Object.fromEntries(ledger.timesByNotification())).toEqual({
      n1: { 'n1-1': 2 },
      n2: { 'n2-1': 1, 'n2-2': 1, 'n2-3': 1, 'n2-4': 1 },
    });
  });

  it('counts what lacks an id', () => {
    const { ledger, receive } = open();
    receive(null, null);
    receive('d', null);
    receive('d', null);
    receive(null, 'n');
    expect(ledger.counts).toEqual({
      received: 4,
      distinctDeliveries: 1,
      distinctNotifications: 1,
      redelivered: 1,
      duplicates: 0,
      unidentified: 2,
    });
  });

  it('keeps the newest, and counts them all', () => {
    const { ledger, receive } = open(3);
    for (const id of ['a', 'b', 'c', 'd', 'e']) receive(id, id);
    expect([...ledger.newest()].map(({ deliveryId }) => deliveryId)).toEqual(['e', 'd', 'c']);
    expect(ledger.counts.received).toBe(5);
    ledger.reset();
    expect([...ledger.newest()]).toEqual([]);
    expect(ledger.counts.received).toBe(0);
  });
});
