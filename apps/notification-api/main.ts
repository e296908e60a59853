import 'reflect-metadata';
import { setTimeout as pause } from 'node:timers/promises';
import { parseSettings } from '#config/settings';
import { composeApi, composeKeyCommand } from '#composition/api';
import { closeBase } from '#composition/base';
import { runCommandOr, type Running } from '#composition/process';
import { waitForServers } from '#composition/wait-for-servers';
import { nestLogger } from '#observability/nest-logger';
import { createApi } from './app.js';
import { createKey } from './commands/create-key.js';
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

const printKey = async (argv: readonly string[]): Promise<string> => {
  const { base, keys } = composeKeyCommand(process.env);
  try {
    return await createKey(argv, { keys, services: base.databases.services, now: base.now });
  } finally {
    await base.databases.close();
  }
};

await runCommandOr(start, {
  'create-key': printKey,
  // What it accepts while the broker is away waits for it.
  'wait-for-servers': () => waitForServers(process.env, { needed: ['mongodb'], wanted: ['rabbitmq'] }),
});
