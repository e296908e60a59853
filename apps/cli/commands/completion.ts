import { Command } from 'nest-commander';
import { CliCommand } from '../command.js';
import { completionScript, SHELLS } from '../completion.js';
import { BadUsage } from '../exit.js';
import { argument } from '../options.js';
import { describeCommands } from '../described.js';
import type { Report } from '../terminal.js';

@Command({
  name: 'completion',
  arguments: '<shell>',
  argsDescription: { shell: SHELLS.join(', ') },
  description: 'print the script that completes commands and options',
})
export class Completion extends CliCommand {
  protected execute(args: string[]): Promise<Report> {
    const shell = SHELLS.find((one) => one === argument(args, 0, 'shell'));
    if (shell === undefined) throw new BadUsage(`<shell> must be one of ${SHELLS.join(', ')}`);
    const script = completionScript(shell, describeCommands(this.parser));
    return Promise.resolve({ value: { shell, script }, lines: [script] });
  }
}
