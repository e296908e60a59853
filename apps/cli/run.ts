import { readFileSync } from 'node:fs';
import type { INestApplicationContext } from '@nestjs/common';
import { CommandFactory } from 'nest-commander';
import { Api } from './api.js';
import { CliModule } from './cli.module.js';
import type { CliParts } from './command.js';
import { complaintOf } from './complaint.js';
import { Completion } from './commands/completion.js';
import { type DescribedCommand, describeCommands } from './described.js';
import { EXIT, exitCodeOf, Failed } from './exit.js';
import { connectionOf } from './settings.js';
import { Terminal } from './terminal.js';

const versionOf = (): string =>
  (JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }).version;

/** The parser has said what is wrong, or shown what was asked for, and would end the process. */
class Parsed extends Error {
  constructor(readonly code: number) {
    super('the command line was not run');
  }
}

const parsed = (error: Error): never => {
  throw new Parsed('exitCode' in error && error.exitCode === 0 ? EXIT.ok : EXIT.usage);
};

/** The commands, bound to what they work with. */
const createCli = (parts: CliParts, onError: (error: unknown) => void): Promise<INestApplicationContext> =>
  CommandFactory.createWithoutRunning(CliModule.with(parts), {
    logger: false,
    cliName: 'carillon',
    version: parts.version,
    errorHandler: parts.parsed,
    serviceErrorHandler: onError,
  });

/** All commands, without running any. */
export const describeCli = async (): Promise<DescribedCommand[]> => {
  const parts: CliParts = {
    terminal: new Terminal(),
    environment: {},
    version: '',
    connect: () => {
      throw new Failed('nothing is run here');
    },
    ended: () => undefined,
    parsed,
  };
  const app = await createCli(parts, () => undefined);
  try {
    return describeCommands(app.get(Completion, { strict: false }).parser);
  } finally {
    await app.close();
  }
};

/** Runs the command line of this process; answers its exit code. */
export const runCli = async (environment: NodeJS.ProcessEnv): Promise<number> => {
  const terminal = new Terminal();
  let code: number = EXIT.ok;
  const onError = (error: unknown): void => {
    if (error instanceof Parsed) return void (code = error.code);
    const { lines, value } = complaintOf(error);
    terminal.complain(lines, value);
    code = exitCodeOf(error);
  };
  const parts: CliParts = {
    terminal,
    environment,
    version: versionOf(),
    connect: (profile) => {
      const connection = connectionOf(environment, profile);
      return { api: new Api(connection), connection };
    },
    ended: (ended) => (code = ended),
    parsed,
  };
  const app = await createCli(parts, onError);
  try {
    await CommandFactory.runApplication(app);
  } finally {
    await app.close();
  }
  return code;
};
