import { Command, Option } from 'nest-commander';
import type { CreateNotificationInput } from '#contracts/http/notification';
import { OPERATIONS } from '#contracts/http/operations';
import {
  CHANNELS,
  type Channel,
  type NotificationType,
  ON_LIMIT,
  type OnLimit,
  PRIORITIES,
  type Priority,
  TYPES,
} from '#contracts/vocabulary';
import type { Api } from '../api.js';
import { ApiCommand } from '../command.js';
import { EXIT, wholeNumber } from '../exit.js';
import { isSettled, standing, untilSeen } from '../notifications.js';
import { collect, given, jsonObject, oneOf } from '../options.js';
import type { Report } from '../terminal.js';

interface SendOptions {
  service?: string;
  channel?: Channel;
  to?: string[];
  user?: string;
  type?: NotificationType;
  title?: string;
  body?: string;
  template?: string;
  locale?: string;
  variables?: Record<string, unknown>;
  data?: Record<string, unknown>;
  priority?: Priority;
  sendAt?: string;
  reference?: string;
  onLimit?: OnLimit;
  draft?: boolean;
  idempotencyKey?: string;
  wait?: number;
  quiet?: boolean;
}

@Command({ name: 'notification:send', description: 'send one notification' })
export class NotificationSend extends ApiCommand<SendOptions> {
  @Option({ flags: '--service <name>', description: 'may be left out where the key has just one' })
  service(name: string): string {
    return name;
  }
  @Option({ flags: '--channel <channel>', description: 'push unless said otherwise', choices: [...CHANNELS] })
  channel(value: string): Channel {
    return oneOf(CHANNELS, value);
  }
  @Option({ flags: '--to <target>', description: 'address, number, token or URL; may be repeated' })
  to(target: string, before?: string[]): string[] {
    return collect(target, before);
  }
  @Option({ flags: '--user <id>', description: 'whose targets are used where --to is left out' })
  user(id: string): string {
    return id;
  }
  @Option({ flags: '--type <type>', description: 'info unless said otherwise', choices: [...TYPES] })
  type(value: string): NotificationType {
    return oneOf(TYPES, value);
  }
  @Option({ flags: '--title <text>', description: 'title or subject' })
  title(text: string): string {
    return text;
  }
  @Option({ flags: '--body <text>', description: 'what is said; or --template' })
  body(text: string): string {
    return text;
  }
  @Option({ flags: '--template <name>', description: 'a published template, instead of --title and --body' })
  template(name: string): string {
    return name;
  }
  @Option({ flags: '--locale <tag>', description: 'of the template, such as fr-CI' })
  locale(tag: string): string {
    return tag;
  }
  @Option({ flags: '--variables <json>', description: 'of the template' })
  variables(json: string): Record<string, unknown> {
    return jsonObject(json);
  }
  @Option({ flags: '--data <json>', description: 'handed to the receiver' })
  data(json: string): Record<string, unknown> {
    return jsonObject(json);
  }
  @Option({ flags: '--priority <priority>', description: 'normal, or high for an alert', choices: [...PRIORITIES] })
  priority(value: string): Priority {
    return oneOf(PRIORITIES, value);
  }
  @Option({ flags: '--send-at <time>', description: 'not before, such as 2026-11-21T08:00:00Z' })
  sendAt(time: string): string {
    return time;
  }
  @Option({ flags: '--reference <id>', description: "the caller's own id" })
  reference(id: string): string {
    return id;
  }
  @Option({ flags: '--on-limit <what>', description: 'fail unless said otherwise', choices: [...ON_LIMIT] })
  onLimit(value: string): OnLimit {
    return oneOf(ON_LIMIT, value);
  }
  @Option({ flags: '--draft', description: 'waits for approval' })
  draft(): boolean {
    return true;
  }
  @Option({ flags: '--idempotency-key <key>', description: 'the same key twice is one notification' })
  idempotencyKey(key: string): string {
    return key;
  }
  @Option({ flags: '--wait <seconds>', description: 'wait so long for the result; failed is then an error' })
  wait(seconds: string): number {
    return wholeNumber(seconds, 1, 3600);
  }

  @Option({ flags: '--quiet', description: 'print the id alone' })
  quiet(): boolean {
    return true;
  }

  protected async ask(api: Api, _args: string[], options: SendOptions): Promise<Report> {
    const { service, user, template, idempotencyKey, wait, quiet } = options;
    const { channel, to, type, title, body, locale, variables, data, priority, sendAt, reference, onLimit, draft } =
      options;
    const input: CreateNotificationInput = given({
      serviceName: service,
      userId: user,
      template: template === undefined ? undefined : { name: template },
      ...{ channel, to, type, title, body, locale, variables, data, priority, sendAt, reference, onLimit, draft },
    });
    const accepted = await api.call(OPERATIONS.createNotification, {
      body: input,
      ...given({ idempotencyKey }),
    });
    const shown = wait === undefined ? accepted : await untilSeen(api, accepted.id, wait, isSettled);
    return {
      value: shown,
      lines: [quiet === true ? shown.id : `${shown.id}  ${standing(this.parts.terminal, shown)}`],
      code: wait !== undefined && shown.status === 'failed' ? EXIT.failed : EXIT.ok,
    };
  }
}
