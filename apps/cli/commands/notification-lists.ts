import { Command, Option } from 'nest-commander';
import { OPERATIONS } from '#contracts/http/operations';
import {
  CHANNELS,
  type Channel,
  type NotificationType,
  type State,
  STATES,
  type Status,
  STATUSES,
  TYPES,
} from '#contracts/vocabulary';
import type { Api } from '../api.js';
import { nextPage, notificationTable } from '../notifications.js';
import { collect, given, oneOf } from '../options.js';
import { facts, type Report } from '../terminal.js';
import { ListCommand, type PageOptions, PeriodCommand, type PeriodOptions } from './paging.js';

interface ListOptions {
  status?: Status[];
  state?: State[];
  channel?: Channel[];
  type?: NotificationType[];
  user?: string;
  reference?: string;
  bulk?: string;
  group?: string;
}

@Command({ name: 'notification:list', description: 'list notifications, newest first' })
export class NotificationList extends ListCommand<ListOptions> {
  @Option({ flags: '--status <status>', description: `${STATUSES.join(', ')}; may be repeated` })
  status(value: string, before?: Status[]): Status[] {
    return collect(oneOf(STATUSES, value), before);
  }
  @Option({ flags: '--state <state>', description: `${STATES.join(', ')}; may be repeated` })
  state(value: string, before?: State[]): State[] {
    return collect(oneOf(STATES, value), before);
  }
  @Option({ flags: '--channel <channel>', description: `${CHANNELS.join(', ')}; may be repeated` })
  channel(value: string, before?: Channel[]): Channel[] {
    return collect(oneOf(CHANNELS, value), before);
  }
  @Option({ flags: '--type <type>', description: `${TYPES.join(', ')}; may be repeated` })
  type(value: string, before?: NotificationType[]): NotificationType[] {
    return collect(oneOf(TYPES, value), before);
  }
  @Option({ flags: '--user <id>', description: 'of one user' })
  user(id: string): string {
    return id;
  }
  @Option({ flags: '--reference <id>', description: "the caller's own id" })
  reference(id: string): string {
    return id;
  }
  @Option({ flags: '--bulk <id>', description: 'of one bulk' })
  bulk(id: string): string {
    return id;
  }
  @Option({ flags: '--group <id>', description: 'of one group' })
  group(id: string): string {
    return id;
  }

  protected async ask(api: Api, _args: string[], options: ListOptions & PageOptions & PeriodOptions): Promise<Report> {
    const { service, from, until, user, bulk, group, status, state, channel, type, reference, limit, cursor } = options;
    const page = await api.call(OPERATIONS.listNotifications, {
      query: given({
        ...{ serviceName: service, createdFrom: from, createdTo: until, userId: user, bulkId: bulk, groupId: group },
        ...{ status, state, channel, type, reference, limit, cursor },
      }),
    });
    return { value: page, lines: [...notificationTable(this.parts.terminal, page.data), ...nextPage(page.page)] };
  }
}

@Command({ name: 'notification:stats', description: 'totals, success rate and mean processing time' })
export class NotificationStats extends PeriodCommand<object> {
  protected async ask(api: Api, _args: string[], { service, from, until }: PeriodOptions): Promise<Report> {
    const stats = await api.call(OPERATIONS.getStatistics, {
      query: given({ serviceName: service, createdFrom: from, createdTo: until }),
    });
    const { total, byStatus, byType, successRate, meanProcessingMs } = stats;
    const counts = (record: Readonly<Record<string, number>>): [string, string][] =>
      Object.entries(record).map(([name, count]) => [`  ${name}`, String(count)]);
    return {
      value: stats,
      lines: facts([
        ['total', String(total)],
        ...counts(byStatus),
        ['by type', ''],
        ...counts(byType),
        ['success rate', successRate === null ? '-' : `${successRate.toFixed(1)} %`],
        ['mean time until sent', meanProcessingMs === null ? '-' : `${Math.round(meanProcessingMs)} ms`],
      ]),
    };
  }
}
