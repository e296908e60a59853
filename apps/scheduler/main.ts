import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { parseSettings } from '#config/settings';
import { closeBase } from '#composition/base';
import { healthOf } from '#composition/health';
import { runCommandOr, type Running } from '#composition/process';
import { composeScheduler, createAllIndexes, declareAllTopology } from '#composition/scheduler';
import { waitForServers } from '#composition/wait-for-servers';
import { nestLogger } from '#observability/nest-logger';
import { SchedulerModule } from './scheduler.module.js';
import { schedulerSettings } from './settings.js';

const start = async (): Promise<Running> => {
  const own = parseSettings(schedulerSettings, process.env);
  const { base, jobs, locks, drainMs } = composeScheduler(process.env);
  const { log, broker, metrics, version } = base;
  broker.start();
  const health = healthOf(base, { host: own.SCHEDULER_HOST, port: own.SCHEDULER_PORT });
  const app = await NestFactory.createApplicationContext(
    SchedulerModule.with({
      jobs,
      locks,
      log,
      health,
      onRun: (job, handled) => {
        if (handled !== null) metrics.relayed.inc({ job }, handled);
        else metrics.problems.inc({ problem: `job_${job}` });
      },
    }),
    { logger: nestLogger(log) },
  );
  log.info({ version, jobs: jobs.map(({ name }) => name) }, 'scheduler is up');
  return {
    stop: async () => {
      log.info({}, 'scheduler stops: it finishes the jobs that run');
      await app.close();
      await closeBase(base, drainMs);
      log.info({}, 'scheduler has stopped');
    },
  };
};

await runCommandOr(start, {
  'create-indexes': async () => `indexes are in place for ${(await createAllIndexes(process.env)).join(', ')}`,
  'declare-topology': async () => `exchanges and ${await declareAllTopology(process.env)} queues are in place`,
  'wait-for-servers': () => waitForServers(process.env, { needed: ['mongodb', 'rabbitmq'] }),
});
