import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '#testing/processes';
import type { CleanUps } from './program.js';

const run = promisify(execFile);

export type Server = 'mongodb' | 'rabbitmq';

/** MongoDB and RabbitMQ of an instance that nobody else uses. */
export interface Servers {
  readonly mongodbUri: string;
  /** kill -9 */
  kill(server: Server): Promise<void>;
  /** On the same port and data; resolves when it answers. */
  start(server: Server): Promise<void>;
}

/**
 * Brings them up, and down again at the end unless they were up. Their addresses are put into this process's
 * environment, where the helpers of tests look for them.
 * @throws Error with what scripts/infra.sh said
 */
export const startServers = async (instance: string, cleanUps: CleanUps): Promise<Servers> => {
  const infra = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(join(ROOT, 'scripts', 'infra.sh'), [...args, '--instance', instance], {
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  };
  const wereUp = await infra('status').then(
    () => true,
    () => false,
  );
  if (!wereUp) {
    console.error(`starting private servers (instance ${instance})`);
    await infra('down', '--purge');
    cleanUps.add(`the servers of instance ${instance}`, () => infra('down', '--purge'));
    await infra('up');
  }
  for (const line of (await infra('env')).split('\n')) {
    const [name = '', ...value] = line.split('=');
    if (name !== '') process.env[name] = value.join('=');
  }
  const mongodbUri = process.env['MONGODB_URI'];
  if (mongodbUri === undefined) throw new Error(`instance ${instance} has no MONGODB_URI`);
  return {
    mongodbUri,
    kill: async (server) => void (await infra('kill', server)),
    start: async (server) => void (await infra('start', server)),
  };
};
