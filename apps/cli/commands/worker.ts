import { Command, Option } from 'nest-commander';
import { CliCommand } from '../command.js';
import { EXIT, wholeNumber } from '../exit.js';
import type { Report } from '../terminal.js';
import { dispatcherRuns, runDispatcher } from '../worker.js';

interface WorkerOptions {
  batchSize?: number;
  maxRuntime?: number;
  delay?: number;
}

const BATCH_SIZE = 50;
const MAX_RUNTIME_S = 300;
const DELAY_S = 1;

@Command({
  name: 'worker',
  description: 'run the dispatcher for a bounded time, for cron; it reads the same settings as when it is deployed',
})
export class Worker extends CliCommand<WorkerOptions> {
  @Option({
    flags: '--batch-size <n>',
    description: `notifications in hand of each lane, ${BATCH_SIZE} unless said otherwise`,
  })
  batchSize(n: string): number {
    return wholeNumber(n, 1, 65_535);
  }
  @Option({
    flags: '--max-runtime <seconds>',
    description: `then it drains and ends, ${MAX_RUNTIME_S} unless said otherwise`,
  })
  maxRuntime(seconds: string): number {
    return wholeNumber(seconds, 1, 86_400);
  }
  @Option({
    flags: '--delay <seconds>',
    description: `between two batches of a lane, ${DELAY_S} unless said otherwise`,
  })
  delay(seconds: string): number {
    return wholeNumber(seconds, 0, 3_600);
  }

  protected async execute(_args: string[], options: WorkerOptions): Promise<Report> {
    const { batchSize = BATCH_SIZE, maxRuntime = MAX_RUNTIME_S, delay = DELAY_S } = options;
    const { environment } = this.parts;
    const running = await dispatcherRuns(environment);
    if (running !== null)
      return {
        value: { alreadyRunning: true, seconds: 0, exitCode: EXIT.ok },
        lines: [`a dispatcher runs already at ${running}: nothing to do`],
      };
    const { seconds, exitCode } = await runDispatcher({ environment, batchSize, maxRuntime, delay });
    return {
      value: { alreadyRunning: false, seconds, exitCode },
      lines: [`the dispatcher ran for ${seconds} s and ended with status ${exitCode ?? 'unknown'}`],
      code: exitCode === EXIT.ok || exitCode === EXIT.configuration ? exitCode : EXIT.failed,
    };
  }
}
