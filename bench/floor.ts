import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '#testing/processes';

/** A driver-only program of `bench/floors`, as a process of its own. It talks in lines of JSON on its standard output. */
export interface Floor {
  /** The next line. @throws Error when it ended without one */
  next<T>(): Promise<T>;
  stop(): Promise<void>;
}

export const startFloor = (name: string, env: Record<string, string>): Floor => {
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'bench', 'floors', `${name}.js`)], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    async next<T>() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`the floor ${name} ended with ${String(child.exitCode ?? child.signalCode)}`);
      return JSON.parse(value) as T;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exited;
    },
  };
};
