import 'reflect-metadata';
import { setTimeout as pause } from 'node:timers/promises';
import { parseSettings } from '#config/settings';
import { composeApi, composeKeyCommand } from '#composition/api';
import { closeBase } from '#composition/base';
import { type Running, runProcess } from '#composition/process';
import { nestLogger } from '#observability/nest-logger';
import { createApi } from './app.js';
import { BadUsage, CREATE_KEY_USAGE, createKey } from './commands/create-key.js';
import { apiSettings } from './settings.js';

const start = async (): Promise<Running> => {
  const settings = parseSettings(apiSettings, process.env);
  const { base, parts, listeners, drainMs } = await composeApi(process.env);
  const { log, version, broker } = base;
  const app = await createApi(parts, settings, nestLogger(log));
  for (const listener of listeners) listener.start(broker);
  broker.start();
  await app.listen({ host: settings.NOTIFICATION_API_HOST, port: settings.NOTIFICATION_API_PORT });
  log.info({ url: await app.getUrl(), version }, 'notification-api is up');
  return {
    stop: async () => {
      log.info({ drainMs }, 'notification-api stops: it finishes what it has in hand');
      // They would never end by themselves.
      parts.inbox?.streams.close();
      // A client that never ends its request is not waited for.
      await Promise.race([app.close(), pause(drainMs, undefined, { ref: false })]);
      await closeBase(base, drainMs);
      log.info({}, 'notification-api has stopped');
    },
  };
};

const EXIT_USAGE = 64; // EX_USAGE of sysexits.h

const printKey = async (argv: readonly string[]): Promise<never> => {
  const { base, keys } = composeKeyCommand(process.env);
  try {
    console.log(await createKey(argv, { keys, services: base.databases.services, now: base.now }));
    await base.databases.close();
    return process.exit(0);
  } catch (error) {
    if (!(error instanceof BadUsage)) throw error;
    console.error(`${error.message}\n\n${CREATE_KEY_USAGE}`);
    return process.exit(EXIT_USAGE);
  }
};

const [command, ...argv] = process.argv.slice(2);
await runProcess(() => (command === 'create-key' ? printKey(argv) : start()));
