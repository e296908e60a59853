import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, whether this runs from source or from dist. */
export const ROOT = ((): string => {
  const here = dirname(fileURLToPath(import.meta.url));
  const up = join(here, '..', '..');
  return up.endsWith('dist') ? dirname(up) : up;
})();

/**
 * Below the range from which the system takes ports for outgoing connections: otherwise a client that calls a killed
 * server again and again can end up connected to itself, and hold the port.
 */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
};

/** A built app, as a process of its own. */
export interface AppProcess {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
  readonly running: boolean;
  /** Ends it as Kubernetes would: TERM, then KILL after the deadline. Answers its exit code. */
  stop(deadlineMs?: number): Promise<number | null>;
  /** kill -9 */
  kill(): Promise<void>;
}

export interface AppOptions {
  /** `notification-api`, `dispatcher`, `scheduler` or `sandbox`. */
  app: string;
  name: string;
  port: number;
  env: Record<string, string>;
  /** Folder of the log file. */
  logs: string;
  /** Path that answers 200 once it can work. */
  ready: string;
  readyMs?: number;
  /** Arguments of node itself, before the program. */
  execArgv?: readonly string[];
  /** An image to run instead of what is built in the checkout. */
  image?: string | undefined;
}

type Program = Pick<AppOptions, 'app' | 'execArgv' | 'image'> & { args?: readonly string[] };

const commandOf = ({ app, execArgv = [], image, args = [] }: Program): [string, string[]] =>
  image === undefined
    ? [process.execPath, [...execArgv, join(ROOT, 'dist', 'apps', app, 'main.js'), ...args]]
    : [join(ROOT, 'scripts', 'run-image.sh'), [image, ...args]];

const ENGINE_VARIABLES = ['CARILLON_ENGINE', 'CARILLON_IMAGE_STORAGE'];

const environmentOf = (own: Record<string, string>): Record<string, string> => ({
  ...Object.fromEntries(['PATH', 'HOME', ...ENGINE_VARIABLES].map((name) => [name, process.env[name] ?? ''])),
  ...coverage(),
  ...own,
});

const untilReady = async (url: string, child: ChildProcess, deadlineMs: number, what: string): Promise<void> => {
  const end = performance.now() + deadlineMs;
  let last = 'no answer';
  while (performance.now() < end) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${what} ended with ${String(child.exitCode ?? child.signalCode)} before it was ready`);
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
      if (response.ok) return;
      last = `${response.status} ${await response.text()}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} was not ready within ${deadlineMs} ms: ${last}`);
};

/** None outlives us, however we end. */
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts a built app and waits until it is ready. @throws Error with the place of its log */
export const startApp = async (options: AppOptions): Promise<AppProcess> => {
  const { name, port, logs } = options;
  mkdirSync(logs, { recursive: true });
  const logFile = join(logs, `${name}.log`);
  // Its own file, and no pipe through us: what it logs costs only itself, and nothing is lost when we end.
  const log = openSync(logFile, 'a');
  const child = spawn(...commandOf(options), {
    cwd: ROOT,
    env: environmentOf(options.env),
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  children.add(child);
  const exited = new Promise<void>((resolve) =>
    child.once('exit', () => {
      children.delete(child);
      resolve();
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilReady(`${url}${options.ready}`, child, options.readyMs ?? 60_000, `${name} (log: ${logFile})`);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  return {
    name,
    pid: child.pid ?? 0,
    url,
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
    async stop(deadlineMs = 30_000) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      await exited;
      clearTimeout(force);
      return child.exitCode;
    },
    kill: () => kill('SIGKILL'),
  };
};

const coverage = (): Record<string, string> => {
  const folder = process.env['APPS_V8_COVERAGE'];
  return folder === undefined ? {} : { NODE_V8_COVERAGE: folder };
};

/** How a program ended, and what it printed. */
export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Runs a built app, or its image, to its end, whatever that is. */
export const runToEnd = async (
  app: string,
  args: readonly string[],
  env: Record<string, string>,
  image?: string,
): Promise<Ended> => {
  const child = spawn(...commandOf({ app, args, image }), {
    cwd: ROOT,
    env: environmentOf(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  await once(child, 'close');
  return { code: child.exitCode, out, err };
};

/** Runs a subcommand of a built app, or of its image, to its end. @throws Error with what it printed */
export const runApp = async (
  app: string,
  args: readonly string[],
  env: Record<string, string>,
  image?: string,
): Promise<string> => {
  const { code, out, err } = await runToEnd(app, args, env, image);
  if (code !== 0) throw new Error(`${app} ${args.join(' ')} ended with ${String(code)}: ${err}${out}`);
  return out;
};
