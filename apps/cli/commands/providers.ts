import { Command, Option } from 'nest-commander';
import { OPERATIONS } from '#contracts/http/operations';
import type { ProviderBody } from '#contracts/http/providers';
import { CHANNELS, type Channel } from '#contracts/vocabulary';
import type { Api } from '../api.js';
import { ApiCommand } from '../command.js';
import { BadUsage } from '../exit.js';
import { argument, given } from '../options.js';
import { type Colour, type Report, table, type Terminal } from '../terminal.js';

const COLOURS = { up: 'green', probing: 'yellow', down: 'red' } as const satisfies Record<string, Colour>;
const ARGUMENTS = {
  arguments: '<channel> <name>',
  argsDescription: { channel: CHANNELS.join(', '), name: 'as providers:list shows it' },
};

const standing = (terminal: Terminal, { enabled, disabled, health }: ProviderBody): string => {
  if (!enabled) return terminal.paint('yellow', `disabled${disabled?.reason == null ? '' : `: ${disabled.reason}`}`);
  return health === null ? 'not heard of' : terminal.paint(COLOURS[health], health);
};

const providerTable = (terminal: Terminal, providers: readonly ProviderBody[]): string[] =>
  providers.length === 0
    ? ['none']
    : table([
        ['channel', 'name', 'state', 'sent', 'failed', 'services'],
        ...providers.map((one) => [
          one.channel,
          one.name,
          standing(terminal, one),
          String(one.counts.sent),
          String(one.counts.failed),
          one.services.map(({ serviceName, order }) => `${serviceName} (${order})`).join(', '),
        ]),
      ]);

/** @throws BadUsage */
const pathOf = (args: readonly string[]): { channel: Channel; name: string } => {
  const channel = CHANNELS.find((one) => one === argument(args, 0, 'channel'));
  if (channel === undefined) throw new BadUsage(`<channel> must be one of ${CHANNELS.join(', ')}`);
  return { channel, name: argument(args, 1, 'name') };
};

@Command({
  name: 'providers:list',
  description: 'list providers: health, who sends by them, and what came of the last five minutes',
})
export class ProvidersList extends ApiCommand {
  protected async ask(api: Api): Promise<Report> {
    const answer = await api.call(OPERATIONS.listProviders);
    return { value: answer, lines: providerTable(this.parts.terminal, answer.data) };
  }
}

interface DisableOptions {
  reason?: string;
}

@Command({
  name: 'providers:disable',
  ...ARGUMENTS,
  description: 'take a provider out of service; where there is no other, notifications wait',
})
export class ProvidersDisable extends ApiCommand<DisableOptions> {
  @Option({ flags: '--reason <text>', description: 'shown to others' })
  reason(text: string): string {
    return text;
  }

  protected async ask(api: Api, args: string[], { reason }: DisableOptions): Promise<Report> {
    const one = await api.call(OPERATIONS.disableProvider, { params: pathOf(args), body: given({ reason }) });
    return { value: one, lines: providerTable(this.parts.terminal, [one]) };
  }
}

@Command({ name: 'providers:enable', ...ARGUMENTS, description: 'put a provider back into service' })
export class ProvidersEnable extends ApiCommand {
  protected async ask(api: Api, args: string[]): Promise<Report> {
    const one = await api.call(OPERATIONS.enableProvider, { params: pathOf(args), body: {} });
    return { value: one, lines: providerTable(this.parts.terminal, [one]) };
  }
}
