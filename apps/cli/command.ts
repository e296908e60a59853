import { Inject } from '@nestjs/common';
import { CommandRunner, Option } from 'nest-commander';
import type { Api } from './api.js';
import { EXIT } from './exit.js';
import type { Connection } from './settings.js';
import type { Report, Terminal } from './terminal.js';

/** What commands work with. */
export interface CliParts {
  terminal: Terminal;
  environment: NodeJS.ProcessEnv;
  version: string;
  /** @throws InvalidSettings */
  connect: (profile: string | undefined) => { api: Api; connection: Connection };
  /** Hears of the exit code of a command that ended without an error. */
  ended: (code: number) => void;
  /** Hears of what the parser refused, which it has printed itself, and of help, which it has shown. */
  parsed: (error: Error) => never;
}
export const PARTS = Symbol('CliParts');

/** A command of the parser, which nest-commander does not export under a name of its own. */
export type ParsedCommand = Parameters<CommandRunner['setCommand']>[0];

/** A command: answers what it has to say. */
export abstract class CliCommand<O extends object = object> extends CommandRunner {
  constructor(@Inject(PARTS) protected readonly parts: CliParts) {
    super();
  }

  /** The command of the parser that this one belongs to. */
  get parser(): ParsedCommand {
    return this.command;
  }

  override setCommand(command: ParsedCommand): this {
    // By itself the parser would end the process, with a code of its own.
    command.exitOverride((error) => this.parts.parsed(error));
    return super.setCommand(command);
  }

  async run(args: string[], options: O): Promise<void> {
    const report = await this.execute(args, options);
    this.parts.terminal.show(report);
    this.parts.ended(report.code ?? EXIT.ok);
  }

  @Option({ flags: '--json', description: 'print JSON instead of text' })
  setJson(): boolean {
    return (this.parts.terminal.json = true);
  }

  protected abstract execute(args: string[], options: O): Promise<Report>;
}

export interface ApiOptions {
  profile?: string;
}

/** A command that talks to the API. */
export abstract class ApiCommand<O extends object = object> extends CliCommand<O & ApiOptions> {
  @Option({ flags: '--profile <name>', description: 'profile with address and key; wins over the environment' })
  setProfile(name: string): string {
    return name;
  }

  protected execute(args: string[], options: O & ApiOptions): Promise<Report> {
    const { api, connection } = this.parts.connect(options.profile);
    return this.ask(api, args, options, connection);
  }

  protected abstract ask(api: Api, args: string[], options: O, connection: Connection): Promise<Report>;
}
