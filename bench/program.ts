/** What a program has started, ended in reverse order when it ends, however it ends. */
export class CleanUps {
  private readonly steps: { what: string; undo: () => Promise<unknown> }[] = [];
  private running: Promise<void> | null = null;

  add(what: string, undo: () => Promise<unknown>): void {
    this.steps.push({ what, undo });
  }

  /** The program is ending: nothing new may begin. */
  get begun(): boolean {
    return this.running !== null;
  }

  run(): Promise<void> {
    this.running ??= this.runAll();
    return this.running;
  }

  private async runAll(): Promise<void> {
    for (let step = this.steps.pop(); step !== undefined; step = this.steps.pop())
      await step.undo().catch((error: unknown) => console.error(`could not end ${step?.what ?? ''}:`, error));
  }
}

/** Wrong use of a program: told without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Runs a program to its end, and cleans up after it: also after Ctrl-C. Sets the exit status to what `work` answers. */
export const runProgram = async (work: (cleanUps: CleanUps) => Promise<number>): Promise<void> => {
  const cleanUps = new CleanUps();
  const interrupted = (signal: NodeJS.Signals): void => {
    console.error(`${signal}: cleaning up`);
    void cleanUps.run().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  try {
    process.exitCode = await work(cleanUps);
  } catch (error) {
    console.error(error instanceof UsageError ? error.message : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  } finally {
    await cleanUps.run();
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
};
