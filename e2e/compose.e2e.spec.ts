import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, ROOT } from '#testing/processes';
import { createVhost, type TestVhost } from '#testing/rabbitmq';
import { expressions, metricsIn, readCompose } from './compose.js';
import { run, type Ended } from './run.js';

/**
 * What `docker compose up` would start of ours, as processes of this machine: the same commands with the same
 * environment, in a folder that stands for /app. Names of services become 127.0.0.1, their ports become free ones, and
 * Mailpit is played by the sandbox's mail server.
 */
const PORTS = { 'notification-api': '8009', dispatcher: '8010', scheduler: '8011', sandbox: '8020' };
type Service = keyof typeof PORTS;

const { services } = readCompose();
const READY_MS = 60_000;

describe('the commands of compose.yaml', () => {
  let app: string;
  let vhost: TestVhost;
  let ports: Record<string, string>;
  const running = new Map<string, ChildProcess>();
  const logs = new Map<string, string>();

  const environmentOf = (service: string): Record<string, string> => {
    const here = Object.entries(services[service]?.environment ?? {}).map(([name, value]): [string, string] => {
      if (name === 'MONGODB_URI') return [name, process.env['MONGODB_URI'] ?? ''];
      if (name === 'RABBITMQ_URI') return [name, vhost.uri];
      if (name === 'EGRESS_ALLOW') return [name, value.replace('sandbox', '127.0.0.1/32')];
      if (name === 'SMTP_HOST') return [name, '127.0.0.1'];
      if (name === 'SMTP_PORT') return [name, ports['8025'] ?? ''];
      const local = value.replaceAll(/\/\/(?:sandbox|notification-api):/g, '//127.0.0.1:');
      return [name, local.replaceAll(/\b80\d\d\b/g, (port) => ports[port] ?? port)];
    });
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      CARILLON_DATABASE_PREFIX: `compose_${ports['8009'] ?? ''}_`,
      SMTP_TLS_REJECT_UNAUTHORIZED: 'false', // the sandbox's certificate is its own
      ...Object.fromEntries(here),
    };
  };

  const toItsEnd = (service: string, [program = '', ...args]: readonly string[]): Promise<Ended> =>
    run(program, args, { cwd: app, env: environmentOf(service) });

  const start = (service: string): ChildProcess => {
    const [program = '', ...args] = services[service]?.command ?? [];
    const child = spawn(program, args, { cwd: app, env: environmentOf(service), stdio: ['ignore', 'pipe', 'pipe'] });
    running.set(service, child);
    const keep = (data: Buffer): void => void logs.set(service, `${logs.get(service) ?? ''}${data.toString()}`);
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    return child;
  };

  /** Runs the service's own health check until it succeeds, as the engine does. */
  const healthy = async (service: string): Promise<void> => {
    const [, ...test] = services[service]?.healthcheck?.test ?? [];
    const end = performance.now() + READY_MS;
    for (;;) {
      const { code, err } = await toItsEnd(service, test);
      if (code === 0) return;
      if (performance.now() > end) throw new Error(`${service} is not healthy: ${err}\n${logs.get(service) ?? ''}`);
    }
  };

  const url = (service: Service): string => `http://127.0.0.1:${ports[PORTS[service]] ?? ''}`;

  beforeAll(async () => {
    vhost = await createVhost();
    ports = {};
    for (const port of [...Object.values(PORTS), '8025']) ports[port] = String(await freePort());
    app = mkdtempSync(join(tmpdir(), 'carillon-compose-'));
    for (const path of ['apps', 'libs', 'package.json', '.swcrc', 'dist/apps', 'dist/libs', 'docker/healthcheck.mjs'])
      cpSync(join(ROOT, path), join(app, path), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(app, 'node_modules'));
    mkdirSync(join(app, 'dist'), { recursive: true });
  });

  afterAll(async () => {
    for (const child of running.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    await vhost.drop();
    rmSync(app, { recursive: true, force: true });
  }, 60_000);

  it('bring up a system that sends by every channel', async () => {
    expect(await toItsEnd('indexes', services['indexes']?.command ?? [])).toMatchObject({ code: 0, err: '' });
    const made = await toItsEnd('api-key', services['api-key']?.command ?? []);
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^car_\S+\n$/) as unknown });
    for (const service of Object.keys(PORTS)) start(service);
    await Promise.all(Object.keys(PORTS).map(healthy));
    const demo = [join(ROOT, 'dist', 'e2e', 'demo.js'), '--api', url('notification-api'), '--sandbox', url('sandbox')];
    const env = { ...process.env, CARILLON_API_KEY: made.out.trim() };
    expect(await run(process.execPath, demo, { cwd: ROOT, env })).toMatchObject({ code: 0, err: '' });
  }, 180_000);

  it('show every metric that the alerts and the dashboard use', async () => {
    const shown = await Promise.all(
      (['notification-api', 'dispatcher', 'scheduler'] as const).map(async (service) =>
        (await fetch(`${url(service)}/metrics`)).text(),
      ),
    );
    const all = shown.join('\n');
    const missing = expressions().flatMap(({ of, expr }) => {
      const names = metricsIn(expr).filter((name) => !name.startsWith('rabbitmq_'));
      return names.filter((name) => !all.includes(`# TYPE ${name} `)).map((name) => `${of}: ${name}`);
    });
    expect(missing).toEqual([]);
    expect(expressions().filter(({ expr }) => metricsIn(expr).length === 0 && !expr.startsWith('up{'))).toEqual([]);
  });

  it('compile what is edited, and restart what has loaded it', async () => {
    start('compiler');
    const source = join(app, 'apps', 'sandbox', 'main.ts');
    const restarted = new Promise<void>((resolve) => {
      running.get('sandbox')?.stdout?.on('data', (data: Buffer) => {
        if (data.toString().includes('edited:')) resolve();
      });
    });
    const watching = new Promise<void>((resolve) => {
      running.get('compiler')?.stdout?.on('data', (data: Buffer) => {
        if (data.toString().includes('Watching')) resolve();
      });
    });
    await watching;
    writeFileSync(source, readFileSync(source, 'utf8').replace('`sandbox: ', '`edited: '));
    await restarted;
    await healthy('sandbox');
  }, 120_000);
});
