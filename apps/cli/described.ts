import type { ParsedCommand } from './command.js';

/** One command as the parser knows it: what completion and docs/cli.md are made from. */
export interface DescribedCommand {
  name: string;
  description: string;
  /** Such as `<id...>`. */
  arguments: { usage: string; description: string }[];
  options: { flags: string; long: string; description: string; choices: readonly string[]; takesValue: boolean }[];
}

/** All commands, by name, from any one of them. */
export const describeCommands = (any: ParsedCommand): DescribedCommand[] =>
  (any.parent ?? any).commands
    .filter((command) => command.name() !== 'help')
    .map((command) => ({
      name: command.name(),
      description: command.description(),
      arguments: command.registeredArguments.map((one) => {
        const name = `${one.name()}${one.variadic ? '...' : ''}`;
        return { usage: one.required ? `<${name}>` : `[${name}]`, description: one.description };
      }),
      options: command.options.map((option) => ({
        flags: option.flags,
        long: option.long ?? option.flags,
        description: option.description,
        choices: option.argChoices ?? [],
        takesValue: option.required || option.optional,
      })),
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
