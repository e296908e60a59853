import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Caller } from '#domain/caller';
import { NotFound } from '#domain/errors';
import { Receipts } from './receipts.js';
import type { ReportResult } from './reports.js';

const NOW = new Date('2026-11-21T08:00:30.000Z');
const ID = 'a'.repeat(24);

let known: Map<string, string>;
let paused: number[];
let whilePaused: () => void;
let reported: { who: Caller; report: unknown }[];
let receipts: Receipts;
beforeEach(() => {
  known = new Map();
  paused = [];
  whilePaused = () => undefined;
  reported = [];
  receipts = new Receipts({
    store: {
      findDelivery: (channel, provider, id) => {
        const deliveryId = known.get(`${channel}/${provider}/${id}`);
        return Promise.resolve(deliveryId === undefined ? null : { serviceName: 'diabetes', deliveryId });
      },
    },
    reports: {
      apply: (who, report): Promise<ReportResult> => {
        reported.push({ who, report });
        return Promise.resolve('applied');
      },
    },
    services: ['diabetes'],
    now: () => NOW,
    pause: (ms) => {
      paused.push(ms);
      whilePaused();
      return Promise.resolve();
    },
  });
});

const failure = { provider: 'twilio', status: 'failed', code: 'twilio_30003' } as const;

describe('a receipt', () => {
  it('is a report of its provider, which may do nothing else', async () => {
    expect(await receipts.apply({ ...failure, of: { serviceName: 'diabetes', deliveryId: `${ID}-2` } })).toBe(
      'applied',
    );
    expect(reported).toEqual([
      {
        who: {
          actor: 'provider:twilio',
          owner: 'twilio',
          scopes: new Set(['notifications:mark']),
          services: new Set(['diabetes']),
        },
        report: {
          notificationId: ID,
          serviceName: 'diabetes',
          status: 'failed',
          code: 'twilio_30003',
          occurredAt: NOW.toISOString(),
          deliveryId: `${ID}-2`,
        },
      },
    ]);
  });

  it('of a service that is not here is not found', async () => {
    await expect(
      receipts.apply({ ...failure, of: { serviceName: 'other', deliveryId: `${ID}-1` } }),
    ).rejects.toBeInstanceOf(NotFound);
    expect(reported).toEqual([]);
  });

  const orange = (): Promise<ReportResult> =>
    receipts.apply({ provider: 'orange', status: 'delivered', code: null, of: { providerMessageId: 'r-1' } });

  it("is found by the provider's own id", async () => {
    known.set('sms/orange/r-1', `${ID}-1`);
    expect(await orange()).toBe('applied');
    expect(reported).toMatchObject([{ report: { notificationId: ID, deliveryId: `${ID}-1`, status: 'delivered' } }]);
    expect(reported[0]?.report).not.toHaveProperty('code');
    expect(paused).toEqual([]);
  });

  it('that is quicker than our own settling is waited for', async () => {
    whilePaused = () => paused.length === 2 && known.set('sms/orange/r-1', `${ID}-1`);
    expect(await orange()).toBe('applied');
    expect(paused).toEqual([50, 100]);
  });

  it("is not found by another provider's id, nor waited for without end", async () => {
    known.set('sms/twilio/r-1', `${ID}-1`);
    await expect(orange()).rejects.toBeInstanceOf(NotFound);
    expect(paused).toEqual([50, 100, 200, 400, 800]);
  });
});
