import { Option } from 'nest-commander';
import { MAX_LIMIT } from '#contracts/http/lists';
import { ApiCommand } from '../command.js';
import { wholeNumber } from '../exit.js';

export interface PageOptions {
  limit?: string;
  cursor?: string;
}
export interface PeriodOptions {
  service?: string;
  from?: string;
  until?: string;
}

/** Options of what concerns a service and a period. */
export abstract class PeriodCommand<O extends object> extends ApiCommand<O & PeriodOptions> {
  @Option({ flags: '--service <name>', description: 'all that the key may use, unless said otherwise' })
  service(name: string): string {
    return name;
  }
  @Option({ flags: '--from <time>', description: 'created at this time or later, such as 2026-11-21T00:00:00Z' })
  from(time: string): string {
    return time;
  }
  @Option({ flags: '--until <time>', description: 'created before this time' })
  until(time: string): string {
    return time;
  }
}

/** Options of a list. */
export abstract class ListCommand<O extends object> extends PeriodCommand<O & PageOptions> {
  @Option({ flags: '--limit <n>', description: `1 to ${MAX_LIMIT}, 50 unless said otherwise` })
  limit(n: string): string {
    return String(wholeNumber(n, 1, MAX_LIMIT));
  }
  @Option({ flags: '--cursor <cursor>', description: 'of the page before, with the same filters' })
  cursor(cursor: string): string {
    return cursor;
  }
}
