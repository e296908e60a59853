import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { startHouse } from '#testing/house';
import { ROOT } from '#testing/processes';
import { CleanUps } from '../bench/program.js';
import { Sandbox } from '../bench/sandbox.js';
import type { Servers } from '../bench/servers.js';
import { startBalancer } from './balancer.js';
import { Fleet } from './fleet.js';
import { Load } from './load.js';
import { Records } from './records.js';
import { Relay } from './relay.js';
import { type Scenario, WITHOUT_SECOND_LOOK } from './stage.js';
import { judge, untilSettled, type Verdict } from './verdict.js';

export interface RunOptions {
  name: string;
  scenario: Scenario;
  sabotaged: boolean;
  count: number;
  servers: Servers;
  cleanUps: CleanUps;
  say: (text: string) => void;
}

/** So many notifications per second at the most, and a load that is long enough to be disturbed. */
const MOST_PER_SECOND = 1_000;
const LEAST_SECONDS = 12;
/** Keys that are used again at the end, to see that they still mean the same. */
const REPEATED = 25;

/** Plays one scenario on a platform of its own, and says what became of everything. */
export const runScenario = async (options: RunOptions): Promise<Verdict> => {
  const { name, scenario, sabotaged, count, servers, cleanUps } = options;
  const { sabotage } = scenario;
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 100) / 10;
  const say = (text: string): void => options.say(`${seconds().toFixed(1).padStart(6)} s  ${text}`);
  const preload = pathToFileURL(join(ROOT, 'dist', 'chaos', 'sabotage', `${sabotage.name}.js`)).href;
  const relay = scenario.viaRelay === undefined ? null : new Relay();
  await relay?.listen();
  const house = await startHouse({
    name: 'chaos',
    ...scenario.apps,
    env: {
      ...scenario.env,
      ...(relay === null || scenario.viaRelay === undefined ? {} : { [scenario.viaRelay]: relay.url }),
      ...(sabotaged ? sabotage.env : {}),
    },
    execArgv: sabotaged ? Object.fromEntries(sabotage.apps.map((app) => [app, ['--import', preload]])) : {},
  });
  relay?.aimAt(house.sandbox.url);
  const own = new CleanUps();
  own.add('the relay', () => Promise.resolve(void relay?.refuse()));
  cleanUps.add('a platform', () => own.run());
  own.add('the processes', () => house.stop());
  try {
    const records = await Records.open(servers.mongodbUri, house.env['CARILLON_DATABASE_PREFIX'] ?? '');
    own.add('the database client', () => records.close());
    const fleet = new Fleet(house);
    const gateways = (): string[] => fleet.urls('notification-api');
    const balancer = scenario.balanced === true ? await startBalancer(gateways) : null;
    if (balancer !== null) own.add('the balancer', () => balancer.close());
    const inHand = new Set<string>();
    const once = new Set<string>();
    let unanswered = 0;
    const stage = {
      count,
      seconds: Math.max(LEAST_SECONDS, count / (scenario.perSecond ?? MOST_PER_SECOND)),
      house,
      fleet,
      load: new Load(
        () => (balancer === null ? gateways() : [balancer.url]),
        house.key,
        `${house.sandbox.url}/webhook/chaos`,
        `${name}-${Date.now()}`,
      ),
      sandbox: new Sandbox(house.sandbox.url),
      records,
      servers,
      mayRepeat: (ids: readonly string[]) => ids.forEach((id) => inHand.add(id)),
      neverTwice: (ids: readonly string[]) => ids.forEach((id) => once.add(id)),
      relay,
      neverAnswered: (more: number) => void (unanswered += more),
      say,
    };
    say('the load begins');
    await scenario.play(stage);
    for (const [reason, count] of stage.load.reasons) say(`${count} times sent again: ${reason}`);
    say(`${stage.load.accepted.size} accepted, waiting until they are settled`);
    await untilSettled(stage, !sabotaged || sabotage.env !== WITHOUT_SECOND_LOOK);
    await scenario.settled?.(stage);
    say('settled');
    await stage.load.repeatSome(REPEATED);
    return await judge(stage, once, {
      scenario: name,
      sabotage: sabotaged ? sabotage.name : null,
      // Those of a dispatcher that lives on were not in hand of what was killed.
      inHand: (await records.takenOver()).filter((id) => inHand.has(id)).length + unanswered,
      seconds: seconds(),
      failedRequests: scenario.balanced === true ? stage.load.repetitions : 0,
    });
  } finally {
    await own.run();
  }
};
