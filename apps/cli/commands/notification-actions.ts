import { Command, Option } from 'nest-commander';
import type { NotificationBody } from '#contracts/http/notification';
import { OPERATIONS } from '#contracts/http/operations';
import { type Api, ApiProblem } from '../api.js';
import { ApiCommand } from '../command.js';
import { complaintOf } from '../complaint.js';
import { EXIT } from '../exit.js';
import { notificationLines, standing } from '../notifications.js';
import { argument, given } from '../options.js';
import type { Report } from '../terminal.js';

interface ActionOptions {
  note?: string;
}
type Action = 'approveNotification' | 'cancelNotification' | 'retryNotification';

/** The same for each of several notifications; one that is refused does not keep the others. */
abstract class ActionCommand extends ApiCommand<ActionOptions> {
  protected abstract readonly action: Action;

  @Option({ flags: '--note <text>', description: 'kept in the history' })
  note(text: string): string {
    return text;
  }

  protected async ask(api: Api, ids: string[], { note }: ActionOptions): Promise<Report> {
    const { terminal } = this.parts;
    const data: NotificationBody[] = [];
    const errors: object[] = [];
    const lines: string[] = [];
    for (const id of ids)
      try {
        const shown = await api.call(OPERATIONS[this.action], { params: { id }, body: given({ note }) });
        data.push(shown);
        lines.push(`${id}  ${standing(terminal, shown)}`);
      } catch (error) {
        if (!(error instanceof ApiProblem)) throw error;
        errors.push({ id, ...error.problem });
        const [first = '', ...rest] = complaintOf(error).lines;
        lines.push(`${id}  ${terminal.paint('red', first)}`, ...rest);
      }
    return { value: { data, errors }, lines, code: errors.length > 0 ? EXIT.failed : EXIT.ok };
  }
}

@Command({ name: 'notification:approve', arguments: '<id...>', description: 'approve drafts' })
export class NotificationApprove extends ActionCommand {
  protected readonly action = 'approveNotification';
}

@Command({
  name: 'notification:cancel',
  arguments: '<id...>',
  description: 'cancel what has not been sent, or forbid the automatic retry of what failed',
})
export class NotificationCancel extends ActionCommand {
  protected readonly action = 'cancelNotification';
}

@Command({ name: 'notification:retry', arguments: '<id...>', description: 'send failed ones again' })
export class NotificationRetry extends ActionCommand {
  protected readonly action = 'retryNotification';
}

@Command({
  name: 'notification:show',
  arguments: '<id>',
  description: 'show one notification, with its deliveries and history',
})
export class NotificationShow extends ApiCommand {
  protected async ask(api: Api, args: string[]): Promise<Report> {
    const one = await api.call(OPERATIONS.getNotification, { params: { id: argument(args, 0, 'id') } });
    return { value: one, lines: notificationLines(this.parts.terminal, one) };
  }
}
