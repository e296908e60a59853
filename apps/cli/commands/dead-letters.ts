import { Command, Option } from 'nest-commander';
import type { DeadLetterItem } from '#contracts/http/dead-letters';
import { OPERATIONS } from '#contracts/http/operations';
import {
  CHANNELS,
  type Channel,
  DEAD_LETTER_STATUSES,
  type DeadLetterStatus,
  ERROR_CLASSES,
  type ErrorClass,
} from '#contracts/vocabulary';
import type { Api } from '../api.js';
import { ApiCommand } from '../command.js';
import { BadUsage } from '../exit.js';
import { moment, nextPage, notificationLines } from '../notifications.js';
import { argument, given, oneOf } from '../options.js';
import { facts, type Report, table } from '../terminal.js';
import { ListCommand, type PageOptions, PeriodCommand, type PeriodOptions } from './paging.js';

interface Filters extends PeriodOptions {
  class?: ErrorClass;
  channel?: Channel;
  status?: DeadLetterStatus;
}

const filterOf = ({ service, from, until, class: errorClass, channel, status }: Filters) =>
  given({ serviceName: service, createdFrom: from, createdTo: until, class: errorClass, channel, status });

const told = (one: DeadLetterItem): [string, string][] => [
  ['id', one.id],
  ['notification', one.notificationId ?? '- (a message was refused)'],
  ['service', one.serviceName ?? '-'],
  ['channel', one.channel ?? '-'],
  ['class', one.class],
  ['status', one.status],
  ['reason', `${one.code}: ${one.reason}`],
  ['created', moment(one.createdAt)],
  ['tried again', moment(one.retryAt)],
];

@Command({ name: 'dead-letters:list', description: 'list dead letters, newest first' })
export class DeadLettersList extends ListCommand<Filters> {
  @Option({ flags: '--class <class>', description: 'whose fault it is', choices: [...ERROR_CLASSES] })
  class(value: string): ErrorClass {
    return oneOf(ERROR_CLASSES, value);
  }
  @Option({ flags: '--channel <channel>', description: 'of one channel', choices: [...CHANNELS] })
  channel(value: string): Channel {
    return oneOf(CHANNELS, value);
  }
  @Option({ flags: '--status <status>', description: 'where it stands', choices: [...DEAD_LETTER_STATUSES] })
  status(value: string): DeadLetterStatus {
    return oneOf(DEAD_LETTER_STATUSES, value);
  }

  protected async ask(api: Api, _args: string[], options: Filters & PageOptions): Promise<Report> {
    const { limit, cursor } = options;
    const page = await api.call(OPERATIONS.listDeadLetters, {
      query: { ...filterOf(options), ...given({ limit, cursor }) },
    });
    const rows = page.data.map((one) => [
      one.id,
      moment(one.createdAt),
      one.serviceName ?? '-',
      one.channel ?? '-',
      one.class,
      one.status,
      one.code,
    ]);
    return {
      value: page,
      lines: [
        ...(rows.length === 0
          ? ['none']
          : table([['id', 'created', 'service', 'channel', 'class', 'status', 'code'], ...rows])),
        ...nextPage(page.page),
      ],
    };
  }
}

@Command({
  name: 'dead-letters:show',
  arguments: '<id>',
  description: 'show one dead letter, with the history of its notification',
})
export class DeadLettersShow extends ApiCommand {
  protected async ask(api: Api, args: string[]): Promise<Report> {
    const one = await api.call(OPERATIONS.getDeadLetter, { params: { id: argument(args, 0, 'id') } });
    return {
      value: one,
      lines: [
        ...facts(told(one)),
        ...one.errors.map(({ field, message }) => `  ${field} ${message}`),
        ...(one.notification === null
          ? []
          : ['', 'its notification', ...notificationLines(this.parts.terminal, one.notification)]),
      ],
    };
  }
}

interface ReplayOptions extends Filters {
  matching?: boolean;
}

@Command({
  name: 'dead-letters:replay',
  arguments: '[id...]',
  description: 'replay dead letters: those named, or all that --matching filters find',
})
export class DeadLettersReplay extends PeriodCommand<ReplayOptions> {
  @Option({ flags: '--matching', description: 'all that the filters match, instead of those named' })
  matching(): boolean {
    return true;
  }
  @Option({ flags: '--class <class>', description: 'whose fault it is', choices: [...ERROR_CLASSES] })
  class(value: string): ErrorClass {
    return oneOf(ERROR_CLASSES, value);
  }
  @Option({ flags: '--channel <channel>', description: 'of one channel', choices: [...CHANNELS] })
  channel(value: string): Channel {
    return oneOf(CHANNELS, value);
  }

  protected async ask(api: Api, ids: string[], options: ReplayOptions): Promise<Report> {
    if ((options.matching === true) === ids.length > 0) throw new BadUsage('name dead letters, or give --matching');
    if (options.matching === true) {
      const replayed = await api.call(OPERATIONS.replayDeadLetters, { body: filterOf(options) });
      return { value: replayed, lines: [`${replayed.matched} matched, ${replayed.replayed} replayed`] };
    }
    const data: DeadLetterItem[] = [];
    for (const id of ids) data.push(await api.call(OPERATIONS.replayDeadLetter, { params: { id }, body: {} }));
    return { value: { data }, lines: data.map(({ id, status }) => `${id}  ${status}`) };
  }
}
