import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { completionScript, SHELLS } from './completion.js';
import type { DescribedCommand } from './described.js';

const option = (long: string, choices: string[] = []) => ({
  flags: long,
  long,
  description: `what's [${long}]`,
  choices,
  takesValue: choices.length > 0,
});
const command = (name: string, ...options: DescribedCommand['options']): DescribedCommand => ({
  name,
  description: `does ${name}`,
  arguments: [],
  options,
});
const COMMANDS = [
  command('cleanup', option('--dry-run')),
  command('notification:list', option('--json')),
  command('notification:send', option('--channel', ['email', 'sms']), option('--json')),
];

/** What bash offers for a line, with its own idea of where words break. */
const offered = (line: string, breaks = ' \t\n"\'><=;|&(:'): string[] => {
  const script = `${completionScript('bash', COMMANDS)}
COMP_WORDBREAKS=$BREAKS COMP_LINE=$LINE COMP_POINT=\${#LINE}
_carillon
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], {
    env: { ...process.env, LINE: line, BREAKS: breaks },
    encoding: 'utf8',
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').filter((word) => word !== '');
};

describe('completion', () => {
  it.each<[string, string[]]>([
    ['carillon ', ['cleanup', 'notification:list', 'notification:send']],
    ['carillon cl', ['cleanup']],
    ['carillon notification:s', ['send']],
    ['carillon notification:', ['list', 'send']],
    ['carillon notification:send ', ['--channel', '--json', '--help']],
    ['carillon notification:send --j', ['--json']],
    ['carillon notification:send --channel ', ['email', 'sms']],
    ['carillon notification:send --channel s', ['sms']],
    ['carillon cleanup --d', ['--dry-run']],
    ['carillon nonsense ', []],
  ])('in bash offers after "%s" %j', (line, words) => {
    expect(offered(line)).toEqual(words);
  });

  it('in bash offers whole names where a colon breaks no words', () => {
    expect(offered('carillon notification:s', ' ')).toEqual(['notification:send']);
  });

  it.each(SHELLS)('in %s knows every command and option', (shell) => {
    const script = completionScript(shell, COMMANDS);
    for (const { name, options } of COMMANDS) {
      expect(script.replaceAll('\\:', ':')).toContain(name);
      for (const { long } of options) expect(script).toMatch(new RegExp(`${long}|-l ${long.slice(2)}\\b`));
    }
    expect(script).toContain('email sms');
  });
});
