import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT } from '#testing/processes';
import { run, type Ended } from './run.js';
import { type Registry, startRegistry } from './registry.js';

const BASES = { BUILD_BASE: process.env['BUILD_BASE'] ?? '', RUNTIME_BASE: process.env['RUNTIME_BASE'] ?? '' };

/** A clone, so that it is clean whatever the checkout is. */
describe('scripts/build-and-push.sh', () => {
  let clone: string;
  let registry: Registry;

  const build = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
    run(join(clone, 'scripts', 'build-and-push.sh'), args, { cwd: clone, env: { ...process.env, ...BASES, ...env } });

  beforeAll(async () => {
    clone = join(mkdtempSync(join(tmpdir(), 'carillon-clone-')), 'carillon');
    spawnSync('git', ['clone', '--quiet', '--depth', '1', `file://${ROOT}`, clone], { stdio: 'inherit' });
    registry = await startRegistry();
  });
  afterAll(async () => {
    await registry.close();
    rmSync(join(clone, '..'), { recursive: true, force: true });
  });

  it('pushes what it has built, and prints its digest', async () => {
    const { code, out, err } = await build(['--version', '1.2.3', 'sandbox'], {
      CARILLON_REGISTRY: `${registry.address}/team`,
      CARILLON_REGISTRY_TLS: 'false',
    });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const digest = registry.manifests.get('team/carillon/sandbox:1.2.3') ?? 'none';
    expect(digest).toMatch(/^sha256:/);
    expect(out).toContain(`pushed    ${registry.address}/team/carillon/sandbox:1.2.3@${digest}\n`);
  }, 300_000);

  it.each<[string, string[], Record<string, string>, number, string]>([
    ['no registry', [], { CARILLON_REGISTRY: '' }, 2, 'CARILLON_REGISTRY is not set'],
    ['a registry as a URL', [], { CARILLON_REGISTRY: 'https://registry.example.org' }, 2, 'CARILLON_REGISTRY must be'],
    ['an app that is none', ['--no-push', 'billing'], {}, 2, 'there is no app "billing"'],
    ['an unknown option', ['--fast'], {}, 2, 'unknown option --fast'],
    ['a version that no tag can have', ['--no-push', '--version', 'a b'], {}, 1, '"a b" cannot be a tag'],
    ['an engine that is none', ['--no-push'], { CARILLON_ENGINE: 'lxd' }, 1, 'CARILLON_ENGINE=lxd is unknown'],
    ['settings of npm that are not there', ['--no-push'], { CARILLON_NPMRC: '/nowhere' }, 1, 'CARILLON_NPMRC names'],
  ])('refuses %s', async (_, args, env, status, reason) => {
    const { code, err } = await build(args, env);
    expect({ code, err }).toEqual({ code: status, err: expect.stringContaining(reason) as unknown });
  });

  it('says what to do when the registry takes nothing', async () => {
    const { code, err } = await build(['--version', '1.2.3', 'sandbox'], {
      CARILLON_REGISTRY: '127.0.0.1:1',
      CARILLON_REGISTRY_TLS: 'false',
    });
    expect(code).toBe(1);
    expect(err).toContain('127.0.0.1:1/carillon/sandbox:1.2.3 was not pushed. Are you logged in');
  }, 300_000);

  it('refuses files that differ from the commit', async () => {
    appendFileSync(join(clone, 'README.md'), 'edited\n');
    const { code, err } = await build(['--no-push', 'sandbox']);
    expect(code).toBe(1);
    expect(err).toMatch(/files differ from the commit.*M README.md.*--allow-dirty/s);
  });
});
