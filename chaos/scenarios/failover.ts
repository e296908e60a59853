import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../../bench/sandbox.js';
import type { Scenario, Stage } from '../stage.js';

/** One in so many may arrive at most once. */
const AT_MOST_ONCE = 5;
/** How long may pass without an end of all that is open. */
const PATIENCE_MS = 300_000;
const LOOK_EVERY_MS = 250;

const HANGS: readonly Fault[] = [
  { kind: 'hang', provider: 'orange', share: 0.3, recorded: true },
  { kind: 'drop', provider: 'orange', share: 0.3 },
  { kind: 'hang', provider: 'orange' },
];
const ERRORS: readonly Fault[] = [{ kind: 'status', status: 503, provider: 'orange' }];

/** Took a message and did not say so. */
const ambiguous = (faults: readonly Fault[]): number =>
  faults
    .filter(({ kind, recorded }) => kind === 'drop' || (kind === 'hang' && recorded === true))
    .reduce((sum, { struck }) => sum + (struck ?? 0), 0);

/** What a person does with what is uncertain: looks at the provider, and says that it was sent, or sends it again. */
const resolveUncertain = async ({ house, sandbox }: Stage): Promise<void> => {
  const { body } = await house.call('GET', '/api/notifications?state=uncertain&limit=100');
  const { data } = body as { data: { id: string }[] };
  if (data.length === 0) return;
  const received = await sandbox.times('sms');
  for (const { id } of data) {
    const outcome = received[id] === undefined ? 'retry' : 'sent';
    await house.call('POST', `/api/notifications/${id}/resolve`, { body: { outcome } });
  }
};

export const failover: Scenario = {
  what: 'the first of two providers of SMS hangs, fails and refuses connections for the middle third',
  apps: { gateways: 1, dispatchers: 2, schedulers: 1 },
  killsServers: false,
  count: 10_000,
  smallCount: 1_200,
  viaRelay: 'ORANGE_BASE_URL',
  env: { SMS_TIMEOUT_MS: '6000', PROVIDER_HALF_OPEN_MS: '1000' },
  sabotage: { name: 'send-anyway', apps: ['dispatcher'], env: {} },
  async play(stage) {
    const { sandbox, relay, load, say } = stage;
    const setFaults = async (faults: readonly Fault[]): Promise<void> => {
      stage.neverAnswered(ambiguous((await sandbox.faults()).sms));
      await sandbox.setFaults('sms', faults);
    };
    await load.send({
      count: stage.count,
      seconds: stage.seconds,
      change: (number) => ({
        channel: 'sms',
        to: [`+33612${String(number % 1_000_000).padStart(6, '0')}`],
        atMostOnce: number % AT_MOST_ONCE === 0,
      }),
      disturbances: [
        { at: 0.33, act: () => (say('Orange hangs'), setFaults(HANGS)) },
        { at: 0.45, act: () => (say('Orange answers 503'), setFaults(ERRORS)) },
        {
          at: 0.55,
          act: () => {
            say('Orange refuses connections');
            stage.neverAnswered(relay?.refuse() ?? 0);
            return Promise.resolve();
          },
        },
        {
          at: 0.66,
          act: async () => {
            await setFaults([]);
            await relay?.listen();
            say('Orange is up again');
          },
        },
      ],
    });
    stage.neverTwice(load.idsOf((number) => number % AT_MOST_ONCE === 0));
    const end = performance.now() + PATIENCE_MS;
    while ((await stage.records.standing()).pending > 0 && performance.now() < end) {
      await resolveUncertain(stage);
      await delay(LOOK_EVERY_MS);
    }
  },
};
