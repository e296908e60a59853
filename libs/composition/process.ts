import { InvalidSettings } from '#config/settings';

export interface Running {
  /** Finishes what is in hand, within its own deadline. */
  stop: () => Promise<void>;
}

const EXIT_CONFIGURATION = 78; // EX_CONFIG of sysexits.h

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
    const told =
      error instanceof InvalidSettings
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
    process.stderr.write(`${told}\n`);
    process.exit(error instanceof InvalidSettings ? EXIT_CONFIGURATION : 1);
  }
};
