import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type House, startHouse, until } from '#testing/house';
import { type Ended, freePort, runToEnd } from '#testing/processes';

/** The command line as people and cron run it: a process of its own, against a whole house. */
describe('the command line', () => {
  let house: House;
  let home: string;
  let url: string;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'carillon-cli-'));
    house = await startHouse({ gateways: 2, dispatchers: 2, schedulers: 1 });
    url = house.gateways[0]?.url ?? '';
  }, 120_000);
  afterAll(async () => {
    await house.stop();
    rmSync(home, { recursive: true });
  }, 60_000);

  const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
    runToEnd('cli', args, {
      HOME: home,
      CARILLON_API_URL: url,
      CARILLON_API_KEY: house.key,
      CARILLON_SANDBOX_URL: house.sandbox.url,
      ...env,
    });
  /** Runs it with --json. @throws Error unless it ends with 0 */
  const json = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { code, out, err } = await run([...args, '--json']);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${String(code)}: ${err}${out}`);
    return JSON.parse(out) as Record<string, unknown>;
  };
  const email = ['--service', 'diabetes', '--channel', 'email', '--to', 'ada@example.org', '--title', 'Insulin'];
  const send = ['notification:send', ...email, '--body', 'Time for your dose'];

  describe('notifications', () => {
    it('are sent, and waited for', async () => {
      const { code, out } = await run([...send, '--wait', '30']);
      expect({ code, out }).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^[0-9a-f]{24} {2}sent\n$/) as unknown,
      });
    });

    it('wait as drafts, are approved, and shown', async () => {
      const { id } = await json(...send, '--draft', '--reference', 'rx-1');
      const list = await json('notification:list', '--state', 'draft', '--reference', 'rx-1');
      expect(list['data']).toMatchObject([{ id, state: 'draft' }]);
      expect(await json('notification:approve', String(id), '--note', 'fine')).toMatchObject({
        data: [{ id }],
        errors: [],
      });
      await until(house, String(id), ({ state }) => state === 'sent');
      const { out } = await run(['notification:show', String(id)]);
      expect(out).toContain('draft -> approved  by key:');
      expect(out).toContain(': fine');
      expect(out).toContain('sending -> sent');
      // One that is refused does not keep the others.
      const draft = await json(...send, '--draft');
      const gone = await json(...send, '--draft');
      await json('notification:cancel', String(gone['id']));
      const some = await run(['notification:approve', String(gone['id']), String(draft['id'])]);
      expect(some.code).toBe(1);
      expect(some.out).toContain('Not possible in the present state');
      await until(house, String(draft['id']), ({ state }) => state === 'sent');
    });

    it('are cancelled, and one that failed is sent again', async () => {
      const later = await json(...send, '--send-at', new Date(Date.now() + 3_600_000).toISOString());
      expect(await json('notification:cancel', String(later['id']))).toMatchObject({ data: [{ state: 'cancelled' }] });
      const target = `${house.sandbox.url}/webhook/cli-retry`;
      const fault = [{ kind: 'status', status: 400, match: 'cli-retry', count: 1 }];
      await fetch(`${house.sandbox.url}/faults/webhook`, { method: 'PUT', body: JSON.stringify(fault) });
      const webhook = ['notification:send', '--service', 'test', '--channel', 'webhook', '--to', target, '--body', 'x'];
      const failed = await run([...webhook, '--wait', '30', '--json']);
      expect(failed.code).toBe(1);
      const { id } = JSON.parse(failed.out) as { id: string };
      expect(await json('notification:retry', id)).toMatchObject({ data: [{ id, state: 'approved' }] });
      await until(house, id, ({ state }) => state === 'sent');
      const letters = await json('dead-letters:list', '--service', 'test', '--channel', 'webhook');
      const [letter] = letters['data'] as { id: string; notificationId: string }[];
      expect(letter).toMatchObject({ notificationId: id });
      const { out } = await run(['dead-letters:show', letter?.id ?? '']);
      expect(out).toContain('endpoint_refused');
      expect(await json('dead-letters:replay', '--matching', '--class', 'content')).toEqual({
        matched: 0,
        replayed: 0,
      });
    });

    it('are counted', async () => {
      const stats = await json('notification:stats', '--service', 'diabetes');
      expect(stats['total']).toBeGreaterThan(0);
      const { out } = await run(['notification:stats', '--service', 'diabetes']);
      expect(out).toMatch(/^success rate +\d/m);
    });

    it('are made from templates that were pushed, once', async () => {
      const file = join(home, 'welcome.json');
      const content = { title: 'Welcome', body: 'Welcome, {{name}}' };
      const variables = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } };
      const template = { serviceName: 'diabetes', name: 'welcome', channel: 'email', content, variables };
      writeFileSync(file, JSON.stringify(template));
      const pushed = (what: string) => ({ data: [{ what, template: { name: 'welcome', version: 1 } }] });
      expect(await json('templates:push', file)).toMatchObject(pushed('written'));
      expect(await json('templates:push', file)).toMatchObject(pushed('unchanged'));
      expect(await json('templates:push', file, '--publish')).toMatchObject(pushed('published'));
      expect(await json('templates:push', file, '--publish')).toMatchObject(pushed('unchanged'));
      const rendered = ['notification:send', '--service', 'diabetes', '--channel', 'email', '--to', 'a@example.org'];
      const sent = await json(...rendered, '--template', 'welcome', '--variables', '{"name":"Ada"}');
      expect(sent['body']).toBe('Welcome, Ada');
      expect((await run(['templates:list', '--service', 'diabetes'])).out).toMatch(
        /welcome +email +default +1 +published/,
      );
      writeFileSync(file, JSON.stringify({ ...template, content: { ...content, body: 'Hello, {{name}}' } }));
      expect(await json('templates:push', file, '--publish')).toMatchObject({ data: [{ template: { version: 2 } }] });
      // An older one that is live again is not what the file says.
      const { body } = await house.call('GET', '/api/templates/welcome?serviceName=diabetes');
      const first = (body['data'] as { id: string; version: number }[]).find(({ version }) => version === 1);
      await house.call('POST', `/api/templates/welcome/versions/${first?.id}/publish`);
      expect(await json('templates:push', file, '--publish')).toMatchObject({ data: [{ what: 'published' }] });
    });
  });

  describe('notification:test', () => {
    const target = ['--channel', 'email', '--to', 'ada@example.org'];
    it('says in green that it was sent', async () => {
      const { code, out } = await run(['notification:test', 'p-1', 'reminder', ...target], { FORCE_COLOR: '1' });
      expect(code).toBe(0);
      expect(out).toMatch(/Success: [0-9a-f]{24} was sent to .*example\.org\./);
      expect([out.slice(0, 5), out.slice(-6)]).toEqual(['\u001b[32m', '\u001b[39m\n']);
    });
    it('says in red, and plainly, why it was not', async () => {
      const fault = [{ kind: 'status', status: 550, match: 'nobody' }];
      await fetch(`${house.sandbox.url}/faults/email`, { method: 'PUT', body: JSON.stringify(fault) });
      const args = ['notification:test', 'p-2', 'alert', '--channel', 'email', '--to', 'nobody@example.org'];
      const { code, out } = await run(args, { FORCE_COLOR: '1' });
      await fetch(`${house.sandbox.url}/faults/email`, { method: 'DELETE' });
      expect(code).toBe(1);
      expect(out).toMatch(/Failure: [0-9a-f]{24} was not sent: ./);
      expect(out.startsWith('\u001b[31m')).toBe(true);
    });
    it('sends nothing in a dry run', async () => {
      const { code, out } = await run(['notification:test', 'p-dry', 'info', ...target, '--dry-run']);
      expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was sent') as unknown });
      expect((await house.call('GET', '/api/notifications?userId=p-dry')).body['data']).toEqual([]);
    });
    it('finds in a dry run that a user has no device', async () => {
      const { code, err } = await run(['notification:test', 'p-dry', 'info', '--dry-run']);
      expect({ code, err }).toMatchObject({
        code: 1,
        err: expect.stringContaining('p-dry has no target for push') as unknown,
      });
      await house.call('POST', '/api/services/test/recipients/p-dry/devices', {
        body: { token: 'device-token-0123456789-0123456789', platform: 'ios' },
      });
      expect((await run(['notification:test', 'p-dry', 'info', '--dry-run'])).code).toBe(0);
    });
    it('knows its types', async () => {
      const { code, err } = await run(['notification:test', 'p-1', 'spam']);
      expect({ code, err }).toEqual({ code: 2, err: '<type> must be one of alert, reminder, info\n' });
    });
  });

  describe('test:*', () => {
    it('pass, all of them', async () => {
      const { code, out } = await run(['test:all']);
      expect(out).not.toContain('failed  ');
      expect(code).toBe(0);
      for (const suite of ['workflow', 'messenger', 'rate-limiter', 'cache', 'lock'])
        expect(out).toMatch(new RegExp(`^ok {6}${suite}: `, 'm'));
      expect(out).toMatch(/\d+ passed, 0 failed\n$/);
    }, 120_000);

    it('use the service test alone', async () => {
      const { body } = await house.call('POST', '/api/keys', {
        body: { owner: 'checks', scopes: ['notifications:send', 'notifications:read'], services: ['diabetes'] },
      });
      const { code, out } = await run(['test:lock', '--json'], { CARILLON_API_KEY: String(body['key']) });
      expect(code).toBe(1);
      const { failed, checks } = JSON.parse(out) as { failed: number; checks: { ok: boolean; told: string }[] };
      expect(failed).toBe(checks.length);
      for (const { told } of checks) expect(told).toContain('service_not_allowed');
    });

    it('refuse where there is no sandbox', async () => {
      for (const other of [url, `http://127.0.0.1:${await freePort()}`]) {
        const { code, err } = await run(['test:workflow'], { CARILLON_SANDBOX_URL: other });
        expect({ code, err }).toMatchObject({
          code: 1,
          err: expect.stringContaining('refused: no sandbox') as unknown,
        });
      }
    });

    it('fail with what is wrong', async () => {
      const made = await house.call('POST', '/api/keys', {
        body: { owner: 'weak', scopes: ['notifications:send', 'notifications:read'], services: ['test'] },
      });
      const { code, out } = await run(['test:workflow'], { CARILLON_API_KEY: String(made.body['key']) });
      expect(code).toBe(1);
      expect(out).toMatch(/^failed {2}workflow: a draft waits.*insufficient_scope/m);
      expect(out).toMatch(/^ok {6}workflow: /m);
    });
  });

  it('shows providers, and takes one out of service and back', async () => {
    const off = await json('providers:disable', 'sms', 'orange', '--reason', 'maintenance');
    expect(off).toMatchObject({ channel: 'sms', name: 'orange', enabled: false, disabled: { reason: 'maintenance' } });
    const { out } = await run(['providers:list']);
    expect(out).toMatch(/^sms +orange +disabled: maintenance/m);
    expect(out).toMatch(/^sms +twilio /m);
    expect(await json('providers:enable', 'sms', 'orange')).toMatchObject({ enabled: true, disabled: null });
    const { code, err } = await run(['providers:disable', 'sms', 'nobody']);
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('not_found') as unknown });
    expect((await run(['providers:disable', 'fax', 'orange'])).code).toBe(2);
  });

  it('makes fixtures once, however often', async () => {
    const first = await json('fixtures');
    const again = await json('fixtures');
    const ids = (one: Record<string, unknown>) => (one['notifications'] as { id: string }[]).map(({ id }) => id);
    expect(ids(again)).toEqual(ids(first));
    const { body } = await house.call('GET', '/api/services/test/recipients/fixture-ada');
    expect(body).toMatchObject({ email: 'ada@example.org', devices: [{ platform: 'android' }] });
  });

  it('works for a bounded time, and finishes what it has in hand', async () => {
    const vacant = await startHouse({ dispatchers: 0, name: 'worker' });
    try {
      const env = { ...vacant.env, DISPATCHER_PORT: String(await freePort()), HOME: home };
      const { body } = await vacant.call('POST', '/api/notifications', {
        body: { serviceName: 'test', userId: 'p-1', channel: 'email', to: 'a@example.org', title: 't', body: 'b' },
      });
      const args = ['worker', '--batch-size', '5', '--max-runtime', '5', '--delay', '1'];
      const { code, out, err } = await runToEnd('cli', args, env);
      expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('ended with status 0') as unknown });
      expect(err).toContain('dispatcher has stopped');
      await until(vacant, String(body['id']), ({ state }) => state === 'sent');
    } finally {
      await vacant.stop();
    }
  }, 120_000);

  it('leaves the work to a dispatcher that runs already, and says what is not configured', async () => {
    const port = new URL(house.dispatchers[0]?.url ?? '').port;
    const busy = await runToEnd('cli', ['worker', '--json'], { ...house.env, DISPATCHER_PORT: port });
    expect({ code: busy.code, told: JSON.parse(busy.out) as unknown }).toMatchObject({
      code: 0,
      told: { alreadyRunning: true },
    });
    const bare = await runToEnd('cli', ['worker'], { DISPATCHER_PORT: '0' });
    expect({ code: bare.code, err: bare.err }).toMatchObject({
      code: 78,
      err: expect.stringContaining('MONGODB_URI is required') as unknown,
    });
  });

  it('cleans up what is old, after counting it', async () => {
    const dry = await json('cleanup', '--dry-run', '--service', 'diabetes');
    expect(dry).toMatchObject({ dryRun: true, notifications: 0, services: [{ serviceName: 'diabetes' }] });
    const { code, out } = await run(['cleanup', '--older-than-days', '7']);
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^0 removed, created before /) as unknown,
    });
    expect((await run(['cleanup', '--older-than-days', '6'])).code).toBe(2);
    expect(await house.call('POST', '/api/maintenance/cleanup', { body: { olderThanDays: 6 } })).toMatchObject({
      status: 422,
      body: { errors: [{ field: '/olderThanDays' }] },
    });
  });

  describe('errors', () => {
    it('name the field and the reason', async () => {
      const { code, err } = await run([
        'notification:send',
        ...email.slice(0, 4),
        '--to',
        'nonsense',
        '--title',
        't',
        '--body',
        'b',
      ]);
      expect(code).toBe(1);
      expect(err).toContain('Some fields are invalid');
      expect(err).toMatch(/^ {2}\/to\/0 must be an e-mail address$/m);
    });
    it('are JSON where that was asked for', async () => {
      const { code, err } = await run(['notification:show', 'f'.repeat(24), '--json']);
      expect(code).toBe(1);
      expect(JSON.parse(err)).toMatchObject({ error: { code: 'not_found', status: 404 } });
    });
    it.each<[string, number, string[], Record<string, string>]>([
      ['an unknown command', 2, ['nonsense'], {}],
      ['an unknown option', 2, ['notification:list', '--nonsense'], {}],
      ['a wrong choice', 2, ['notification:send', '--channel', 'fax'], {}],
      ['a missing argument', 2, ['notification:show'], {}],
      ['no API there', 3, ['notification:list'], { CARILLON_API_URL: 'http://127.0.0.1:9' }],
      ['no key', 78, ['notification:list'], { CARILLON_API_KEY: '' }],
      ['a bad address', 78, ['notification:list'], { CARILLON_API_URL: 'nonsense' }],
      ['a wrong key', 1, ['notification:list'], { CARILLON_API_KEY: 'car_nonsense' }],
      ['help', 0, ['--help'], {}],
    ])('%s: status %i', async (_, status, args, env) => {
      const { code, out, err } = await run(args, env);
      expect({ code, said: out + err }).toEqual({ code: status, said: expect.stringMatching(/\S/) as unknown });
      expect(out + err).not.toContain('    at ');
    });
  });

  it('takes address and key from a profile that nobody else can read', async () => {
    const folder = join(home, '.config', 'carillon');
    const file = join(folder, 'profiles.json');
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, JSON.stringify({ default: { url, key: house.key }, other: { url, key: 'car_nonsense' } }));
    chmodSync(file, 0o640);
    const plain = { HOME: home };
    const open = await runToEnd('cli', ['notification:list'], plain);
    expect({ code: open.code, err: open.err }).toMatchObject({
      code: 78,
      err: expect.stringContaining(`chmod 600 ${file}`) as unknown,
    });
    expect(open.err).not.toContain(house.key);
    chmodSync(file, 0o600);
    expect((await runToEnd('cli', ['notification:list'], plain)).code).toBe(0);
    expect((await runToEnd('cli', ['notification:list', '--profile', 'other'], plain)).code).toBe(1);
    expect((await runToEnd('cli', ['notification:list', '--profile', 'none'], plain)).code).toBe(78);
  });
});
