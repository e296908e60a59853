import { InvalidSettings } from '#config/settings';

export interface Running {
  /** Finishes what is in hand, within its own deadline. */
  stop: () => Promise<void>;
}

const EXIT_CONFIGURATION = 78; // EX_CONFIG of sysexits.h
const EXIT_USAGE = 64; // EX_USAGE

/** Ends a process with words for people, and no stack. */
export class CannotGoOn extends Error {
  override readonly name: string = 'CannotGoOn';
  readonly exitCode: number = 1;
}

/** What is wrong with a command line. */
export class BadUsage extends CannotGoOn {
  override readonly name = 'BadUsage';
  override readonly exitCode = EXIT_USAGE;
}

/** What an app can do instead of running, by the word that asks for it; answers what is to be printed. */
export type Commands = Readonly<Record<string, (argv: readonly string[]) => Promise<string>>>;

const toldOf = (error: unknown): string => {
  if (error instanceof InvalidSettings || error instanceof CannotGoOn) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};

const exitCodeOf = (error: unknown): number => {
  if (error instanceof InvalidSettings) return EXIT_CONFIGURATION;
  return error instanceof CannotGoOn ? error.exitCode : 1;
};

/**
 * Runs an app until it is told to stop: TERM or INT drain it; a second one, or one before it is up, ends it at once. Bad
 * configuration ends it with status 78 and a line for each variable; what else goes wrong at start-up, with status 1.
 */
export const runProcess = async (start: () => Promise<Running>): Promise<void> => {
  let running: Running | null = null;
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (running === null || stopping) process.exit(128 + (signal === 'SIGINT' ? 2 : 15));
    stopping = true;
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(
          `stopping failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
        );
        process.exit(1);
      },
    );
  };
  // From the beginning: the system keeps signals without a handler from process 1 of a container.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    running = await start();
  } catch (error) {
    process.stderr.write(`${toldOf(error)}\n`);
    process.exit(exitCodeOf(error));
  }
};

/**
 * Runs the command that the arguments name, and ends; without any, the app. A word that is no command ends it with
 * status 64: an app that was to do one thing must not run for ever instead.
 */
export const runCommandOr = async (start: () => Promise<Running>, commands: Commands): Promise<void> => {
  const [word, ...argv] = process.argv.slice(2);
  if (word === undefined) return runProcess(start);
  await runProcess(async () => {
    const command = commands[word];
    if (command === undefined)
      throw new BadUsage(`there is no command "${word}"; there are: ${Object.keys(commands).join(', ')}`);
    process.stdout.write(`${await command(argv)}\n`);
    process.exit(0);
  });
};
