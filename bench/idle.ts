import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Figure, round } from './figure.js';
import type { BenchOptions } from './options.js';
import { startPlatform } from './platform.js';

const SETTLE_S = 5;

/** CPU seconds so far, user and system. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const cpuSeconds = async (pid: number, ticksPerSecond: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
};

const residentMiB = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
};

/** What each app costs while nobody asks anything of it. Reads /proc: Linux only. */
export const idle = async (options: BenchOptions): Promise<Figure> => {
  const platform = await startPlatform(options, { dispatchers: 1 });
  const { gateways, dispatchers, schedulers } = platform.house;
  const apps = [...gateways, ...dispatchers, ...schedulers];
  const seconds = options.seconds ?? 60;
  const { stdout } = await promisify(execFile)('getconf', ['CLK_TCK']);
  const ticks = Number(stdout.trim());
  await delay(SETTLE_S * 1000);
  options.say(`doing nothing for ${seconds} s`);
  const before = await Promise.all(apps.map(({ pid }) => cpuSeconds(pid, ticks)));
  await delay(seconds * 1000);
  const found = await Promise.all(
    apps.map(async ({ name, pid }, index) => ({
      app: name,
      cpuPercent: round((((await cpuSeconds(pid, ticks)) - (before[index] ?? 0)) / seconds) * 100, 2),
      rssMiB: round(await residentMiB(pid)),
    })),
  );
  const rss = Math.max(...found.map(({ rssMiB }) => rssMiB));
  const cpu = Math.max(...found.map(({ cpuPercent }) => cpuPercent));
  return {
    bench: 'idle',
    value: rss,
    unit: 'MiB',
    floor: null,
    ratio: null,
    cpuPercent: cpu,
    apps: found,
    reached: cpu < 1 && rss < 190,
  };
};
