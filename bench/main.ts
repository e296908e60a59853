import { parseArgs } from 'node:util';
import { accept } from './accept.js';
import { backlog } from './backlog.js';
import { bulk } from './bulk.js';
import { drain, email, single } from './drain.js';
import { describe, type Figure } from './figure.js';
import { idle } from './idle.js';
import { inbox } from './inbox.js';
import { isolation } from './isolation.js';
import { latency } from './latency.js';
import { mixed } from './mixed.js';
import type { BenchOptions } from './options.js';
import { smsToken } from './sms-token.js';
import { runProgram, UsageError } from './program.js';
import { startServers } from './servers.js';
import { templates } from './templates.js';

interface Bench {
  what: string;
  run: (options: BenchOptions) => Promise<Figure>;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  accept: { what: 'durable 202s on 50 connections, against group commit alone', run: accept },
  mixed: { what: 'the same while a dispatcher delivers, against accepting alone', run: mixed },
  bulk: { what: 'recipients accepted in bulk, against insertMany', run: bulk },
  drain: { what: '20,000 pushes waiting, until all are settled', run: drain },
  email: { what: '20,000 e-mails waiting, over 50 SMTP connections', run: email },
  single: { what: '20,000 webhooks waiting, one signed request each', run: single },
  latency: { what: 'from accepting to sent, at 200 a second', run: latency },
  inbox: { what: '2,000 open streams of one in-app inbox, from storing to reception', run: inbox },
  isolation: { what: 'pushes while SMS are far over their limit, against without those', run: isolation },
  'sms-token': { what: 'SMS with a token each and the caller waiting, against Carillon', run: smsToken },
  templates: {
    what: 'accepting from templates that are cached, against reading and compiling them first',
    run: templates,
  },
  backlog: { what: 'accepting and draining with 500,000 documents present, against 10,000', run: backlog },
  idle: { what: 'CPU and memory of each app in a minute of nothing', run: idle },
};

const USAGE = `usage: npm run bench -- NAME [--json] [--count N] [--seconds N] [--rounds N]

${Object.entries(BENCHES)
  .map(([name, { what }]) => `  ${name.padEnd(10)}${what}`)
  .join('\n')}`;

const whole = (name: string, value: string | undefined): number | null => {
  if (value === undefined) return null;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new UsageError(`--${name} must be a whole number above 0\n\n${USAGE}`);
  return Number(value);
};

const readArguments = (): {
  bench: Bench;
  json: boolean;
  count: number | null;
  seconds: number | null;
  rounds: number;
} => {
  const options = {
    json: { type: 'boolean', default: false },
    count: { type: 'string' },
    seconds: { type: 'string' },
    rounds: { type: 'string' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const [name = '', ...others] = positionals;
    const bench = BENCHES[name];
    if (bench === undefined || others.length > 0)
      throw new UsageError(
        `${name === '' ? 'which bench?' : `there is no bench "${positionals.join(' ')}"`}\n\n${USAGE}`,
      );
    const { json, count, seconds, rounds } = values;
    return {
      bench,
      json,
      count: whole('count', count),
      seconds: whole('seconds', seconds),
      rounds: whole('rounds', rounds) ?? 3,
    };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
};

await runProgram(async (cleanUps) => {
  const { bench, json, count, seconds, rounds } = readArguments();
  const servers = await startServers('bench', cleanUps);
  const say = (text: string): void => console.error(text);
  const figure = await bench.run({ servers, cleanUps, count, seconds, rounds, say });
  console.log(json ? JSON.stringify(figure) : describe(figure));
  return 0;
});
