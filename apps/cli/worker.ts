import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** As it is deployed: its own process, with the settings that it reads itself. */
const DISPATCHER = fileURLToPath(new URL('../dispatcher/main.js', import.meta.url));
const DEFAULT_PORT = '8010';
const HEALTH_MS = 2_000;
/** Beyond what the dispatcher allows itself for draining. */
const GRACE_MS = 90_000;

/** Where the dispatcher of this machine answers; null where none does. Port 0 asks for one of its own. */
export const dispatcherRuns = async (environment: NodeJS.ProcessEnv): Promise<string | null> => {
  const port = environment['DISPATCHER_PORT'] || DEFAULT_PORT;
  if (port === '0') return null;
  const url = `http://127.0.0.1:${port}/health`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HEALTH_MS) });
    return response.ok ? url : null;
  } catch {
    return null;
  }
};

export interface WorkerRun {
  environment: NodeJS.ProcessEnv;
  batchSize: number;
  /** Seconds. */
  maxRuntime: number;
  /** Seconds. */
  delay: number;
}

/** Runs it until its time is up or we are told to stop, and then lets it finish what it has in hand. Its log goes to stderr. */
export const runDispatcher = async (run: WorkerRun): Promise<{ seconds: number; exitCode: number | null }> => {
  const started = performance.now();
  const child = spawn(process.execPath, [DISPATCHER], {
    env: {
      ...run.environment,
      RABBITMQ_PREFETCH: String(run.batchSize),
      DISPATCHER_BATCH_PAUSE_MS: String(run.delay * 1000),
    },
    stdio: ['ignore', process.stderr, process.stderr],
  });
  let force: NodeJS.Timeout | null = null;
  const stop = (): void => {
    child.kill('SIGTERM');
    force ??= setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  };
  const timeUp = setTimeout(stop, run.maxRuntime * 1000);
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    await once(child, 'exit');
  } finally {
    clearTimeout(timeUp);
    if (force !== null) clearTimeout(force);
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
  }
  return { seconds: Math.round((performance.now() - started) / 1000), exitCode: child.exitCode };
};
