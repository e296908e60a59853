import type { Alert, AlertLog, Alerts, AlertWindow, Clock, OperatorChannel } from './ports.js';

export interface GroupedAlertsParts {
  window: AlertWindow;
  /** None, one or several ways; each is used, but for the one that the alert says is broken. */
  channels: readonly OperatorChannel[];
  log: AlertLog;
  windowMs: number;
  now: Clock;
}

/** One critical log line and one message to the operators for each group and window, so that one outage is one alert. */
export class GroupedAlerts implements Alerts {
  constructor(private readonly parts: GroupedAlertsParts) {}

  async raise(alert: Alert): Promise<void> {
    const { log, now } = this.parts;
    if (!(await this.isFirst(alert.group))) return;
    log.fatal({ alert }, `alert ${alert.group}: ${alert.code}, ${alert.reason}`);
    const at = now();
    const told = await Promise.allSettled(this.waysFor(alert).map(async (channel) => channel.notify(alert, at)));
    for (const result of told)
      if (result.status === 'rejected')
        log.error({ err: result.reason as unknown, group: alert.group }, 'cannot tell the operators of an alert');
  }

  private async isFirst(group: string): Promise<boolean> {
    try {
      return await this.parts.window.first(group, this.parts.windowMs);
    } catch (err) {
      // Rather told twice than never.
      this.parts.log.error({ err, group }, 'cannot group an alert');
      return true;
    }
  }

  /** Not through the medium that fails, unless there is no other. */
  private waysFor({ channel }: Alert): readonly OperatorChannel[] {
    const others = this.parts.channels.filter((way) => way.channel !== channel);
    return others.length > 0 ? others : this.parts.channels;
  }
}
