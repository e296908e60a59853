import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { parseSettings } from '#config/settings';
import { composeDispatcher } from '#composition/dispatcher';
import { healthOf } from '#composition/health';
import { runCommandOr, type Running } from '#composition/process';
import { waitForServers } from '#composition/wait-for-servers';
import { nestLogger } from '#observability/nest-logger';
import { deliveryConsumers } from './deliveries.js';
import { DispatcherModule } from './dispatcher.module.js';
import { dispatcherSettings } from './settings.js';

const start = async (): Promise<Running> => {
  const own = parseSettings(dispatcherSettings, process.env);
  const parts = await composeDispatcher(process.env);
  const { base, strategy, deliverer, refusals, prefetch, drainMs } = parts;
  const { log, broker, databases, version } = base;
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(
    DispatcherModule.with({ ...parts, publisher: base.publisher }),
    { strategy, logger: nestLogger(log) },
  );
  await app.listen();
  const pauseMs = own.DISPATCHER_BATCH_PAUSE_MS;
  for (const consumer of deliveryConsumers({ deliverer, refusals, log, prefetch, pauseMs })) consumer.start(broker);
  parts.invalidations.start(broker);
  broker.start();
  const health = healthOf(base, { host: own.DISPATCHER_HOST, port: own.DISPATCHER_PORT });
  const port = await health.listen();
  log.info({ port, version }, 'dispatcher is up');
  return {
    stop: async () => {
      log.info({ drainMs }, 'dispatcher stops: it finishes what it has in hand');
      await base.broker.drain(drainMs, async () => {
        await base.outbox.drained();
        await parts.close();
      });
      await app.close();
      await databases.close();
      await health.close();
      log.info({}, 'dispatcher has stopped');
    },
  };
};

await runCommandOr(start, {
  'wait-for-servers': () => waitForServers(process.env, { needed: ['mongodb', 'rabbitmq'] }),
});
