import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Notification } from '#domain/notification';
import { RecordingAnnouncer } from '#testing/memory-acceptance';
import { notificationOf } from '#testing/memory-delivery';
import { ClaimRelay } from './claim-relay.js';
import type { OwedClaim } from './ports.js';

const CLAIM: OwedClaim = { token: 'token-1', serviceName: 'diabetes', ids: ['a', 'b'] };

describe('ClaimRelay', () => {
  let items: Notification[];
  let announcer: RecordingAnnouncer;
  let told: string[];
  let left: string[];
  let relay: ClaimRelay;

  beforeEach(() => {
    items = [];
    announcer = new RecordingAnnouncer();
    told = [];
    left = [];
    relay = new ClaimRelay({
      claims: {
        owed: () => Promise.resolve([CLAIM]),
        told: (tokens) => Promise.resolve(void told.push(...tokens)),
        leaveToRelay: (token) => Promise.resolve(void left.push(token)),
      },
      items: { claimedUnder: (claim) => Promise.resolve(claim === CLAIM ? items : []) },
      announcer,
    });
  });

  it('tells what was sent under the claim, and nothing of what became something else', async () => {
    const sent = notificationOf({ state: 'sent', version: 3 });
    items = [sent, notificationOf({ state: 'approved' }), notificationOf({ state: 'failed' })];
    expect(await relay.run()).toBe(1);
    expect(announcer.announcements).toEqual([
      { notification: sent, wake: 'none', status: { previous: 'pending' }, deadLetter: false },
    ]);
    expect({ told, left }).toEqual({ told: ['token-1'], left: [] });
  });

  it('waits while something may still be settled under it', async () => {
    items = [notificationOf({ state: 'sent' }), notificationOf({ state: 'sending' })];
    expect(await relay.run()).toBe(0);
    expect(announcer.announcements).toEqual([]);
    expect({ told, left }).toEqual({ told: [], left: ['token-1'] });
  });

  it('comes back where the broker did not confirm', async () => {
    items = [notificationOf({ state: 'sent' })];
    announcer.confirms = false;
    await relay.run();
    expect({ told, left }).toEqual({ told: [], left: ['token-1'] });
  });

  it('forgets a claim under which nothing was sent', async () => {
    expect(await relay.run()).toBe(0);
    expect(told).toEqual(['token-1']);
  });
});
