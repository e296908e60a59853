import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { type House, send, startHouse, until } from '#testing/house';
import { freePort, ROOT } from '#testing/processes';
import { createVhost, type TestVhost } from '#testing/rabbitmq';

/** Every command of docs/TESTING.md and docs/COMPONENTS.md, against a whole house, as a reader runs them. */

interface Fence {
  page: string;
  /** What follows `sh` where it opens: nothing, `alone` (starts servers of its own), `stays-up` (until Ctrl-C). */
  kind: string;
  lines: string[];
}
interface Row {
  step: string;
  command: string;
  /** Lines; `…` stands for anything in a line, or for any lines where it is all. */
  prints: string[];
}

const page = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8');

const fencesOf = (name: string): Fence[] =>
  [...page(name).matchAll(/^```sh ?(\S*)\n(.*?)^```$/gms)].map(([, kind = '', body = '']) => ({
    page: name,
    kind,
    lines: body.trim().split('\n'),
  }));

const codeOf = (cell: string): string[] =>
  cell
    .split('<br>')
    .map((one) => one.trim().replaceAll(/^`|`$/g, ''))
    .map((one) => one.replaceAll('\\|', '|'));

const rowsOf = (name: string): Row[] =>
  page(name)
    .split('\n')
    .filter((line) => /^\| \d \|/.test(line))
    .map((line) => {
      const [, step = '', , ours = '', prints = ''] = line.split(/(?<!\\)\|/);
      return { step: step.trim(), command: codeOf(ours).join(''), prints: codeOf(prints) };
    });

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
const patternOf = (lines: readonly string[]): RegExp =>
  new RegExp(
    `^${lines.map((line) => (line === '…' ? '[^]*' : line.split('…').map(escaped).join('.*'))).join('\n')}\n*$`,
  );

const FENCES = ['TESTING.md', 'COMPONENTS.md'].flatMap(fencesOf);
const ROWS = rowsOf('TESTING.md');

describe('the pages for testers', () => {
  let house: House;
  let home: string;
  let env: NodeJS.ProcessEnv;
  /** Of what runs beside the house. */
  let vhost: TestVhost;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'carillon-docs-'));
    // The limits that an installation has where nobody set others.
    house = await startHouse({ dispatchers: 2, name: 'docs', env: { CHANNEL_LIMITS: '' } });
    vhost = await createVhost();
    env = {
      ...house.env,
      PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
      HOME: home,
      NO_COLOR: '1',
      CARILLON_API_URL: house.gateways[0]?.url,
      CARILLON_API_KEY: house.key,
      CARILLON_SANDBOX_URL: house.sandbox.url,
    };
  }, 120_000);
  afterAll(async () => {
    await house.stop();
    await vhost.drop();
    rmSync(home, { recursive: true });
  }, 60_000);

  /** What `npx carillon` runs in the checkout, without npm's own second at each of its starts; that it does, is seen below. */
  const NPX = 'npx() { [ "$1" = carillon ] && shift && "$PWD/dist/apps/cli/main.js" "$@"; }';

  /** In a shell of its own; answers what it printed, and its status. */
  const bash = async (script: string, own: NodeJS.ProcessEnv = env): Promise<{ code: number | null; said: string }> => {
    const child = spawn('bash', ['-c', script], { cwd: ROOT, env: own, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const hear = (data: Buffer): string => (said += data.toString());
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    await once(child, 'close');
    return { code: child.exitCode, said };
  };
  /** What a reader's shell remembers from one row of the table to the next. */
  let variables = '';

  it('have commands, each of a kind that is known', () => {
    expect(ROWS.map(({ step }) => step)).toEqual([...'11122233344455668888']);
    expect(FENCES.length).toBeGreaterThan(10);
    expect([...new Set(FENCES.map(({ kind }) => kind))].sort()).toEqual(['', 'alone', 'stays-up']);
  });

  it('name a command that npm finds', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    for (const command of ['npx carillon --version', 'npm run --silent cli -- --version'])
      expect((await bash(command)).said).toMatch(new RegExp(`^${escaped(version)}$`, 'm'));
  }, 60_000);

  it('have something old to remove', async () => {
    const { id } = await send(house, {
      serviceName: 'test',
      userId: 'p-old',
      channel: 'in-app',
      to: 'p-old',
      title: 't',
      body: 'b',
    });
    await until(house, id, ({ final }) => final);
    const connection = await mongoose.createConnection(house.env['MONGODB_URI'] ?? '').asPromise();
    const collection = connection.useDb(`${house.env['CARILLON_DATABASE_PREFIX']}test`).collection('notifications');
    const { modifiedCount } = await collection.updateOne(
      { _id: new mongoose.Types.ObjectId(id) },
      { $set: { createdAt: new Date(Date.now() - 31 * 86_400_000) } },
    );
    await connection.close();
    expect(modifiedCount).toBe(1);
  });

  it.each(ROWS.map((row, index): [string, Row] => [`step ${row.step}, row ${index + 1}`, row]))(
    '%s prints what the table says',
    async (_, { command, prints }) => {
      const file = join(home, 'variables');
      const { said } = await bash(
        `${NPX}\n${variables}\n${command}\n[ -z "\${ID:-}" ] || printf 'ID=%s' "$ID" >"${file}"`,
      );
      expect(said).toMatch(patternOf(prints));
      variables = readFileSync(file, { encoding: 'utf8', flag: 'a+' });
    },
    120_000,
  );

  it.each(
    // What both pages name is run once.
    [
      ...new Map(
        FENCES.filter(({ kind }) => kind === '').flatMap(({ page: name, lines }) =>
          lines.map((line): [string, string] => [line, name]),
        ),
      ),
    ].map(([line, name]): [string, string] => [name, line]),
  )(
    '%s: %s',
    async (_, line) => {
      const { code, said } = await bash(`${NPX}\n${line}`);
      expect({ code, said }).toEqual({ code: 0, said: expect.stringMatching(/\S/) as unknown });
    },
    120_000,
  );

  /** For scripts that start servers and apps of their own, beside all that runs here. */
  const elsewhere = async (): Promise<NodeJS.ProcessEnv> => {
    const names = ['NOTIFICATION_API', 'DISPATCHER', 'SCHEDULER', 'SANDBOX', 'SANDBOX_SMTP'];
    const ports = await Promise.all(names.map(async (name) => [`${name}_PORT`, String(await freePort())] as const));
    return {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      CARILLON_INSTANCE: 'docs',
      CARILLON_DATABASE_PREFIX: `${house.env['CARILLON_DATABASE_PREFIX']}dev_`,
      MONGODB_URI: house.env['MONGODB_URI'],
      RABBITMQ_URI: vhost.uri,
      ...Object.fromEntries(ports),
    };
  };

  it.each(FENCES.filter(({ kind }) => kind === 'alone'))(
    '$lines ends by itself',
    async ({ lines }) => {
      const { code, said } = await bash(lines.join('\n'), await elsewhere());
      expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining(' sent ') as unknown });
    },
    300_000,
  );

  it.each(FENCES.filter(({ kind }) => kind === 'stays-up'))(
    '$lines stays up until it is told to end',
    async ({ lines }) => {
      const child = spawn('bash', ['-c', `exec ${lines.join('\n')}`], {
        cwd: ROOT,
        env: await elsewhere(),
        stdio: ['ignore', 'pipe', 'ignore'],
        detached: true,
      });
      let said = '';
      for await (const data of child.stdout) {
        said += String(data);
        if (said.includes('Try:')) break;
      }
      expect(said).toContain('Carillon is up. Ctrl-C stops all that was started here.');
      expect(child.exitCode).toBeNull();
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      expect(child.exitCode).toBe(0);
    },
    300_000,
  );
});
