import { type Scenario, type Stage, WITHOUT_SECOND_LOOK } from '../stage.js';
import { killsInTurn } from './processes.js';

/** Bulks of which the load is made. */
const BULKS = 40;

/** Accepted while the broker is away, by gateways that die before it is back: nobody is left who remembers them. */
const acceptAndDie = async (
  { servers, fleet, load, records, mayRepeat, say }: Stage,
  count: number,
  perBulk: number,
) => {
  mayRepeat(await records.sending());
  await servers.kill('rabbitmq');
  say('killed rabbitmq');
  const before = load.accepted.size;
  await load.send({ count, seconds: 1, perBulk });
  await fleet.killAll('notification-api');
  say(`killed the gateways, which had accepted ${load.accepted.size - before} that they could not tell`);
  await servers.start('rabbitmq');
  await fleet.restartAll('notification-api');
};

export const bulk: Scenario = {
  what: 'kill -9 of the gateways, in turn, while they accept bulks; of all of them while RabbitMQ is away',
  apps: { gateways: 2, dispatchers: 1, schedulers: 1 },
  killsServers: true,
  count: 20_000,
  smallCount: 1_000,
  env: {},
  sabotage: { name: 'forget-items', apps: ['notification-api'], env: WITHOUT_SECOND_LOOK },
  async play(stage) {
    const perBulk = Math.ceil(stage.count / BULKS);
    const untold = Math.ceil(stage.count / 4);
    await stage.load.send({
      count: stage.count - untold,
      seconds: stage.seconds,
      perBulk,
      disturbances: killsInTurn(stage, 'notification-api', [0.3, 0.6]),
    });
    await acceptAndDie(stage, untold, perBulk);
  },
};
