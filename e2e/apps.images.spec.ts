import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type House, type PlatformApp, send, startHouse } from '#testing/house';
import { freePort, ROOT } from '#testing/processes';
import { run, type Ended } from './run.js';

const required = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is required: scripts/images-test.sh sets it`);
  return value;
};

const VERSION = required('CARILLON_IMAGE_VERSION');
const imageOf = (app: string): string =>
  `${process.env['CARILLON_REGISTRY'] || 'localhost'}/carillon/${app}:${VERSION}`;

/** Without the settings of the tests' own servers, unless they are given. */
const inImage = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  run(join(ROOT, 'scripts', 'run-image.sh'), args, {
    cwd: ROOT,
    env: { ...process.env, MONGODB_URI: '', RABBITMQ_URI: '', ...env },
  });

/** Tries what a process in an image must not be able to do. */
const PROBE = `
  const { writeFileSync } = require('node:fs');
  const tryTo = (file) => { try { writeFileSync(file, ''); return 'written'; } catch (error) { return error.code; } };
  console.log(JSON.stringify({ user: process.getuid(), group: process.getgid(), folder: process.cwd(),
    files: ['/app/x', '/app/dist/x', '/x', '/tmp/x', '/etc/x'].map(tryTo) }));`;

interface TestedApp {
  app: PlatformApp;
  prefix: string;
  port: string;
}
const APPS: readonly TestedApp[] = [
  { app: 'notification-api', prefix: 'NOTIFICATION_API', port: '8009' },
  { app: 'dispatcher', prefix: 'DISPATCHER', port: '8010' },
  { app: 'scheduler', prefix: 'SCHEDULER', port: '8011' },
];

describe('images', () => {
  let house: House;

  beforeAll(async () => {
    house = await startHouse({ name: 'images', imageOf });
  }, 240_000);
  afterAll(() => house?.stop(), 120_000);

  it('send by every channel, with the libraries that each loads', async () => {
    const { code, out, err } = await run(
      process.execPath,
      [
        join(ROOT, 'dist', 'e2e', 'demo.js'),
        '--api',
        house.gateways[0]?.url ?? '',
        '--sandbox',
        house.sandbox.url,
        '--key-env',
        'TEST_KEY',
      ],
      { cwd: ROOT, env: { ...process.env, TEST_KEY: house.key } },
    );
    expect({ code, out, err }).toMatchObject({ code: 0, err: '' });
  });

  it('have the thread that makes HTML of MJML', async () => {
    const mjml =
      '<mjml><mj-body><mj-section><mj-column><mj-text>Take {{dose}}</mj-text></mj-column></mj-section></mj-body></mjml>';
    const variables = { type: 'object', properties: { dose: { type: 'string' } } };
    const named = { serviceName: 'diabetes', name: 'dose', channel: 'email' };
    const written = await house.call('POST', '/api/templates', {
      body: { ...named, variables, content: { title: 'Insulin', mjml } },
    });
    expect(written).toMatchObject({ status: 201 });
    const published = `/api/templates/dose/versions/${String(written.body['id'])}/publish`;
    expect(await house.call('POST', published)).toMatchObject({ status: 200 });
    const sent = await send(house, {
      serviceName: 'diabetes',
      userId: 'p-1',
      channel: 'email',
      to: ['ada@example.org'],
      template: { name: 'dose' },
      variables: { dose: '8 units' },
    });
    expect(sent.body).toContain('Take 8 units');
  });

  it.each(APPS)('$app runs as nobody in particular, and can write nowhere', async ({ app }) => {
    const { out, code } = await inImage(['--entrypoint', 'node', imageOf(app), '-e', PROBE]);
    expect({ code, found: JSON.parse(out) as unknown }).toEqual({
      code: 0,
      found: { user: 65532, group: 65532, folder: '/app', files: Array.from({ length: 5 }, () => 'EROFS') },
    });
  });

  it.each(APPS)('$app without configuration says which variable is missing', async ({ app }) => {
    const { code, err } = await inImage([imageOf(app)]);
    expect(code).toBe(78);
    expect(err).toMatch(/MONGODB_URI is required.*\n.*RABBITMQ_URI is required/);
  });

  it.each(APPS)('$app starts, is healthy by its own HEALTHCHECK, and drains at TERM', async ({ app, prefix, port }) => {
    const own = await freePort();
    const began = performance.now();
    const started = await house.start(app, `${app}-again`, own);
    const readyMs = Math.round(performance.now() - began);
    expect(await (await fetch(`${started.url}/health`)).json()).toMatchObject({ status: 'ok', version: VERSION });
    const healthcheck = ['--entrypoint', 'node', imageOf(app), 'healthcheck.mjs', prefix, port];
    expect(await inImage(healthcheck, { [`${prefix}_PORT`]: String(own) })).toMatchObject({ code: 0 });
    expect(await started.stop()).toBe(0);
    expect(await inImage(healthcheck, { [`${prefix}_PORT`]: String(own) })).toMatchObject({
      code: 1,
      err: expect.stringContaining(`:${own}/health`) as unknown,
    });
    process.stdout.write(`${app}: ${readyMs} ms from the start of its container to ready\n`);
  });
});
