import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** How a command ended, and what it said. */
export interface Ended {
  status: number | null;
  out: string;
  err: string;
  /** Both, in this order: what a person sees. */
  said: string;
}

export interface Options {
  input?: string;
  /** All of it; ours unless given. */
  env?: Record<string, string>;
}

/** A command that runs. */
export interface Running {
  ended: Promise<Ended>;
  /** TERM, as from a person or a pipeline that is cancelled. */
  cancel(): void;
}

export const begin = (program: string, args: readonly string[], { input, env }: Options = {}): Running => {
  const child = spawn(program, args, { env: env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] });
  // Who does not read it may be gone by now.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const ended = (async (): Promise<Ended> => {
    const closed = new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve());
    });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    return { status: child.exitCode, out, err, said: `${out}${err}` };
  })();
  return { ended, cancel: () => void child.kill('SIGTERM') };
};

/** Runs to the end. @returns what it printed @throws Error with all it said, unless it ended with 0 */
export const run = async (program: string, args: readonly string[], input?: string): Promise<string> => {
  const ended = await begin(program, args, input === undefined ? {} : { input }).ended;
  if (ended.status !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${String(ended.status)}: ${ended.said}`);
  return ended.out;
};
