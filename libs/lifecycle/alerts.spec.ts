import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Channel } from '#contracts/vocabulary';
import { GroupedAlerts } from './alerts.js';
import type { Alert, OperatorChannel } from './ports.js';

const NOW = new Date('2026-11-21T08:00:30.000Z');
const alertOf = (channel: Channel | null = 'push'): Alert => ({
  group: `provider:diabetes:${channel ?? '-'}`,
  class: 'provider',
  serviceName: 'diabetes',
  channel,
  code: 'provider_unavailable',
  reason: 'FCM answered 503',
});

let told: string[] = [];
let lines: string[] = [];
let seen = new Set<string>();
let windowDown = false;
beforeEach(() => {
  told = [];
  lines = [];
  seen = new Set();
  windowDown = false;
});

const way = (channel: Channel, fails = false): OperatorChannel => ({
  channel,
  notify: ({ group }) => {
    told.push(`${channel} ${group}`);
    if (fails) throw new Error('no answer');
    return Promise.resolve();
  },
});
const alertsBy = (...channels: OperatorChannel[]): GroupedAlerts =>
  new GroupedAlerts({
    channels,
    window: {
      first: (group) => {
        if (windowDown) return Promise.reject(new Error('the store is down'));
        const isFirst = !seen.has(group);
        seen.add(group);
        return Promise.resolve(isFirst);
      },
    },
    log: {
      fatal: (_, message) => lines.push(`fatal ${message}`),
      error: (_, message) => lines.push(`error ${message}`),
    },
    windowMs: 900_000,
    now: () => NOW,
  });

describe('alerts', () => {
  it('of one group are one in a window', async () => {
    const alerts = alertsBy(way('webhook'));
    for (let n = 0; n < 3; n += 1) await alerts.raise(alertOf());
    await alerts.raise(alertOf('email'));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('fatal alert provider:diabetes:push: provider_unavailable');
    expect(told).toEqual(['webhook provider:diabetes:push', 'webhook provider:diabetes:email']);
  });

  it('are logged where no operator can be told', async () => {
    await alertsBy().raise(alertOf());
    expect(lines).toHaveLength(1);
  });

  it.each<[Channel | null, string[]]>([
    ['email', ['webhook']],
    ['webhook', ['email']],
    ['push', ['email', 'webhook']],
    [null, ['email', 'webhook']],
  ])('about %s go by %j', async (channel, ways) => {
    await alertsBy(way('email'), way('webhook')).raise(alertOf(channel));
    expect(told.map((line) => line.split(' ')[0])).toEqual(ways);
  });

  it('go by what fails when there is nothing else', async () => {
    await alertsBy(way('email')).raise(alertOf('email'));
    expect(told).toHaveLength(1);
  });

  it('never fail, and never raise another one', async () => {
    await alertsBy(way('webhook', true), way('email')).raise(alertOf());
    expect(told).toHaveLength(2);
    expect(lines).toEqual([expect.stringMatching(/^fatal/), 'error cannot tell the operators of an alert']);
  });

  it('are rather told twice than never', async () => {
    windowDown = true;
    await alertsBy(way('webhook')).raise(alertOf());
    expect(told).toHaveLength(1);
    expect(lines[0]).toBe('error cannot group an alert');
  });
});
