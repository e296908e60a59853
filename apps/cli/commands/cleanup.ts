import { Command, Option } from 'nest-commander';
import { CLEAN_UP_CEILING_DAYS, CLEAN_UP_FLOOR_DAYS, type CleanedUp } from '#contracts/http/maintenance';
import { OPERATIONS } from '#contracts/http/operations';
import type { Api } from '../api.js';
import { ApiCommand } from '../command.js';
import { wholeNumber } from '../exit.js';
import { moment } from '../notifications.js';
import { given } from '../options.js';
import { facts, type Report } from '../terminal.js';

interface CleanupOptions {
  service?: string;
  olderThanDays?: number;
  dryRun?: boolean;
}

@Command({ name: 'cleanup', description: 'remove old notifications that are final; what still waits stays' })
export class Cleanup extends ApiCommand<CleanupOptions> {
  @Option({ flags: '--service <name>', description: 'all that the key may use, unless said otherwise' })
  service(name: string): string {
    return name;
  }
  @Option({
    flags: '--older-than-days <days>',
    description: `${CLEAN_UP_FLOOR_DAYS} to ${CLEAN_UP_CEILING_DAYS}; as the scheduler does it, unless said otherwise`,
  })
  olderThanDays(days: string): number {
    return wholeNumber(days, CLEAN_UP_FLOOR_DAYS, CLEAN_UP_CEILING_DAYS);
  }
  @Option({ flags: '--dry-run', description: 'count what would be removed; remove nothing' })
  dryRun(): boolean {
    return true;
  }

  protected async ask(api: Api, _args: string[], options: CleanupOptions): Promise<Report> {
    const { service, olderThanDays, dryRun = false } = options;
    const body = given({ serviceName: service, olderThanDays, dryRun });
    const counts = new Map<string, number>();
    let answer: CleanedUp;
    // One call removes some; each begins where the one before ended.
    do {
      answer = await api.call(OPERATIONS.cleanUp, { body });
      for (const { serviceName, notifications } of answer.services)
        counts.set(serviceName, (counts.get(serviceName) ?? 0) + notifications);
    } while (answer.more && !dryRun);
    const services = [...counts].map(([serviceName, notifications]) => ({ serviceName, notifications }));
    const notifications = services.reduce((sum, one) => sum + one.notifications, 0);
    const { createdBefore, more } = answer;
    const total = `${notifications}${more ? ' or more' : ''}`;
    return {
      value: { dryRun, createdBefore, services, notifications, more },
      lines: [
        `${total} ${dryRun ? 'would be removed' : 'removed'}, created before ${moment(createdBefore)}`,
        ...facts(services.map((one): [string, string] => [`  ${one.serviceName}`, String(one.notifications)])),
      ],
    };
  }
}
