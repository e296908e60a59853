import { Command } from 'nest-commander';
import type { Api } from '../api.js';
import { CACHE } from '../checks/cache.js';
import { type Check, Ground } from '../checks/check.js';
import { LOCK } from '../checks/lock.js';
import { MESSENGER } from '../checks/messenger.js';
import { RATE_LIMITER } from '../checks/rate-limiter.js';
import { WORKFLOW } from '../checks/workflow.js';
import { ApiCommand } from '../command.js';
import { complaintOf } from '../complaint.js';
import { EXIT, Unreachable } from '../exit.js';
import { Sandbox } from '../sandbox.js';
import type { Connection } from '../settings.js';
import type { Report } from '../terminal.js';

type Suites = Readonly<Record<string, readonly Check[]>>;

interface Result {
  suite: string;
  name: string;
  ok: boolean;
  /** A remark, or what is wrong. */
  told: string;
}

/** Checks of a running installation: one line each, as soon as it is known. */
abstract class ChecksCommand extends ApiCommand {
  protected abstract readonly suites: Suites;

  protected async ask(api: Api, _args: string[], _options: object, connection: Connection): Promise<Report> {
    const ground = new Ground(api, await Sandbox.open(connection.sandboxUrl));
    const checks: Result[] = [];
    for (const [suite, own] of Object.entries(this.suites))
      for (const check of own) checks.push(await this.check(suite, check, ground));
    const failed = checks.filter(({ ok }) => !ok).length;
    return {
      value: { passed: checks.length - failed, failed, checks },
      lines: [`${checks.length - failed} passed, ${failed} failed`],
      code: failed > 0 ? EXIT.failed : EXIT.ok,
    };
  }

  private async check(suite: string, { name, run }: Check, ground: Ground): Promise<Result> {
    const { terminal } = this.parts;
    try {
      const told = (await run(ground)) ?? '';
      if (!terminal.json) terminal.line(`${terminal.paint('green', 'ok    ')}  ${suite}: ${name} (${told})`);
      return { suite, name, ok: true, told };
    } catch (error) {
      // Nothing that follows could be told apart from this.
      if (error instanceof Unreachable) throw error;
      const told = complaintOf(error).lines.join(' ').replaceAll(/\s+/g, ' ');
      if (!terminal.json) terminal.line(`${terminal.paint('red', 'failed')}  ${suite}: ${name}: ${told}`);
      return { suite, name, ok: false, told };
    }
  }
}

@Command({ name: 'test:workflow', description: 'check drafts, approval, rejection, cancellation and retry' })
export class TestWorkflow extends ChecksCommand {
  protected readonly suites = { workflow: WORKFLOW };
}

@Command({ name: 'test:messenger', description: 'check sending behind the caller, retries and dead letters' })
export class TestMessenger extends ChecksCommand {
  protected readonly suites = { messenger: MESSENGER };
}

@Command({ name: 'test:rate-limiter', description: 'check the limit of each user and minute' })
export class TestRateLimiter extends ChecksCommand {
  protected readonly suites = { 'rate-limiter': RATE_LIMITER };
}

@Command({ name: 'test:cache', description: 'check the cache of templates, and its invalidation' })
export class TestCache extends ChecksCommand {
  protected readonly suites = { cache: CACHE };
}

@Command({ name: 'test:lock', description: 'check that what several do at once happens once' })
export class TestLock extends ChecksCommand {
  protected readonly suites = { lock: LOCK };
}

@Command({ name: 'test:all', description: 'all checks of a running installation' })
export class TestAll extends ChecksCommand {
  protected readonly suites = {
    workflow: WORKFLOW,
    messenger: MESSENGER,
    'rate-limiter': RATE_LIMITER,
    cache: CACHE,
    lock: LOCK,
  };
}
