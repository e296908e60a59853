import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { parseSettings } from '#config/settings';
import { withConnection } from '#messaging/open';
import { MessagingSettings } from '#messaging/settings';
import { Databases } from '#persistence/databases';
import { databaseSettings } from '#persistence/settings';
import { CannotGoOn } from './process.js';

export type ServerName = 'mongodb' | 'rabbitmq';

export interface WaitOptions {
  /** Without these there is nothing to begin with. */
  needed: readonly ServerName[];
  /** Looked for once, and only missed. */
  wanted?: readonly ServerName[];
  /** Milliseconds until the wait is given up; an init container is then started again. */
  deadlineMs?: number;
  /** One line for people. */
  say?: (line: string) => void;
}

/** A server that is needed did not answer in time. */
export class ServerMissing extends CannotGoOn {
  override readonly name = 'ServerMissing';
}

const serverSettings = z.object({ ...databaseSettings.shape, ...MessagingSettings.shape });
type ServerSettings = z.output<typeof serverSettings>;

const DEADLINE_MS = 120_000;
const LOOK_EVERY_MS = 1_000;

const VARIABLE: Readonly<Record<ServerName, string>> = { mongodb: 'MONGODB_URI', rabbitmq: 'RABBITMQ_URI' };

const ping: Readonly<Record<ServerName, (settings: ServerSettings) => Promise<void>>> = {
  mongodb: async (settings) => {
    const databases = new Databases(settings);
    try {
      await databases.ping();
    } finally {
      await databases.close();
    }
  },
  rabbitmq: async ({ RABBITMQ_URI, RABBITMQ_HEARTBEAT_S }) =>
    withConnection(
      { uri: new URL(RABBITMQ_URI), name: 'wait-for-servers', heartbeatSeconds: RABBITMQ_HEARTBEAT_S },
      () => Promise.resolve(),
    ),
};

/** The innermost reason, on one line. Neither driver puts user or password into its messages. */
const reasonOf = (error: unknown): string => {
  let reason = error;
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause;
  const message = reason instanceof AggregateError ? String(reason.errors[0]) : String(reason);
  return message.replace(/\s+/g, ' ').slice(0, 200);
};

/**
 * Waits until the servers that are needed answer, saying each new reason once.
 * @returns what to print at the end
 * @throws ServerMissing naming the variable that says where the server is; InvalidSettings
 */
export const waitForServers = async (environment: NodeJS.ProcessEnv, options: WaitOptions): Promise<string> => {
  const {
    needed,
    wanted = [],
    deadlineMs = DEADLINE_MS,
    say = (line) => void process.stdout.write(`${line}\n`),
  } = options;
  const settings = parseSettings(serverSettings, environment);
  const end = performance.now() + deadlineMs;
  const untilUp = async (server: ServerName): Promise<void> => {
    for (let told = ''; ;) {
      try {
        return await ping[server](settings);
      } catch (error) {
        const reason = reasonOf(error);
        if (performance.now() > end)
          throw new ServerMissing(
            `${server} does not answer: ${reason}. See ${VARIABLE[server]}, and whether it is up.`,
          );
        if (reason !== told) say(`waiting for ${server} (${VARIABLE[server]}): ${reason}`);
        told = reason;
        await pause(LOOK_EVERY_MS);
      }
    }
  };
  await Promise.all(needed.map(untilUp));
  for (const server of wanted)
    await ping[server](settings).catch((error: unknown) =>
      say(`warning: ${server} (${VARIABLE[server]}) does not answer: ${reasonOf(error)}. Going on without it.`),
    );
  return `${needed.join(' and ')} ${needed.length > 1 ? 'answer' : 'answers'}`;
};
