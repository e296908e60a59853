import { Command, Option } from 'nest-commander';
import { CreateNotification, type CreateNotificationInput } from '#contracts/http/notification';
import { OPERATIONS } from '#contracts/http/operations';
import { CHANNELS, type Channel, type NotificationType, TYPES } from '#contracts/vocabulary';
import { type Api, ApiProblem } from '../api.js';
import { ApiCommand } from '../command.js';
import { BadUsage, EXIT, Failed, wholeNumber } from '../exit.js';
import { isSettled, untilSeen } from '../notifications.js';
import { argument, collect, given, oneOf } from '../options.js';
import type { Report } from '../terminal.js';

interface TestOptions {
  service?: string;
  channel?: Channel;
  to?: string[];
  dryRun?: boolean;
  wait?: number;
}

const WAIT_SECONDS = 30;
/** Where the profile of a recipient has the targets of a channel. */
const PROFILE_FIELD = { email: 'email', sms: 'phone', webhook: 'webhookUrl' } as const satisfies Partial<
  Record<Channel, string>
>;

@Command({
  name: 'notification:test',
  arguments: '<userId> <type>',
  argsDescription: { userId: 'who receives it', type: TYPES.join(', ') },
  description: 'send a test notification to a user, and say what became of it',
})
export class NotificationTest extends ApiCommand<TestOptions> {
  @Option({ flags: '--service <name>', description: 'test unless said otherwise' })
  service(name: string): string {
    return name;
  }
  @Option({ flags: '--channel <channel>', description: 'push unless said otherwise', choices: [...CHANNELS] })
  channel(value: string): Channel {
    return oneOf(CHANNELS, value);
  }
  @Option({ flags: '--to <target>', description: "instead of the user's own targets; may be repeated" })
  to(target: string, before?: string[]): string[] {
    return collect(target, before);
  }
  @Option({ flags: '--dry-run', description: 'check the content and the target; send nothing' })
  dryRun(): boolean {
    return true;
  }
  @Option({
    flags: '--wait <seconds>',
    description: `how long to wait for the result, ${WAIT_SECONDS} unless said otherwise`,
  })
  wait(seconds: string): number {
    return wholeNumber(seconds, 1, 3600);
  }

  protected async ask(api: Api, args: string[], options: TestOptions): Promise<Report> {
    const userId = argument(args, 0, 'userId');
    const type = TYPES.find((one) => one === argument(args, 1, 'type'));
    if (type === undefined) throw new BadUsage(`<type> must be one of ${TYPES.join(', ')}`);
    const { service = 'test', channel = 'push', to, dryRun, wait = WAIT_SECONDS } = options;
    const input = testNotification({ serviceName: service, userId, channel, type, to });
    return dryRun === true ? this.simulate(api, input, channel) : this.send(api, input, wait);
  }

  private async send(api: Api, input: CreateNotificationInput, seconds: number): Promise<Report> {
    const { terminal } = this.parts;
    const accepted = await api.call(OPERATIONS.createNotification, { body: input });
    const shown = await untilSeen(api, accepted.id, seconds, isSettled);
    const { id, status, deliveries, lastError, waiting } = shown;
    if (status === 'sent') {
      const targets = deliveries.filter((one) => one.status === 'sent').map(({ target }) => target);
      return { value: shown, lines: [terminal.paint('green', `Success: ${id} was sent to ${targets.join(', ')}.`)] };
    }
    const why =
      lastError?.message ??
      (waiting === null ? `it is still ${shown.state} after ${seconds} s` : `it waits for ${waiting.reason}`);
    return {
      value: shown,
      lines: [terminal.paint('red', `Failure: ${id} was not sent: ${why}.`), `See: carillon notification:show ${id}`],
      code: EXIT.failed,
    };
  }

  /** By the schema that the API uses, and by what it knows of the recipient. */
  private async simulate(api: Api, input: CreateNotificationInput, channel: Channel): Promise<Report> {
    const { terminal } = this.parts;
    const checked = CreateNotification.safeParse(input);
    if (!checked.success)
      throw new BadUsage(checked.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '));
    const { serviceName = '', userId } = checked.data;
    const targets =
      input.to === undefined ? await targetsOf(api, serviceName, userId ?? '', channel) : [input.to].flat();
    return {
      value: { dryRun: true, notification: input, targets },
      lines: [
        terminal.paint('green', `Dry run: would be sent by ${channel} to ${targets.join(', ')}.`),
        'Nothing was sent. The content, the key and the target were checked; limits and the provider were not.',
      ],
    };
  }
}

const testNotification = (parts: {
  serviceName: string;
  userId: string;
  channel: Channel;
  type: NotificationType;
  to: string[] | undefined;
}): CreateNotificationInput =>
  given({ ...parts, title: 'Carillon test', body: `This is a test of type ${parts.type}. Nothing has to be done.` });

/** Masked where the API masks them. @throws Failed when the recipient has none */
const targetsOf = async (api: Api, serviceName: string, userId: string, channel: Channel): Promise<string[]> => {
  if (channel === 'in-app') return [userId];
  try {
    const recipient = await api.call(OPERATIONS.getRecipient, { params: { serviceName, userId } });
    const field = channel in PROFILE_FIELD ? PROFILE_FIELD[channel as keyof typeof PROFILE_FIELD] : null;
    const own = field === null ? null : recipient[field];
    const targets = channel === 'push' ? recipient.devices.map(({ token }) => token) : own === null ? [] : [own];
    if (targets.length > 0) return targets;
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.problem.code !== 'not_found') throw error;
  }
  throw new Failed(`${userId} has no target for ${channel} in the service ${serviceName}: register one, or give --to`);
};
