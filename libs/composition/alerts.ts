import { GroupedAlerts } from '#lifecycle/alerts';
import type { OperatorChannel } from '#lifecycle/ports';
import type { LifecycleSettings } from '#lifecycle/settings';
import { plainHttp } from '#egress/guarded-http';
import { MongoAlertWindow } from '#persistence/alerts/alert-window';
import type { Base } from './base.js';

const TIMEOUT_MS = 10_000;

/** The operators' own URL: not guarded, for they chose it. */
const webhookTo = (url: string): OperatorChannel => {
  const http = plainHttp({ connectTimeoutMs: 5_000, connectionsPerOrigin: 2 });
  return {
    channel: 'webhook',
    async notify(alert, at) {
      const result = await http.post(new URL(url), {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ type: 'carillon.alert', timestamp: at.toISOString(), data: alert }),
        timeoutMs: TIMEOUT_MS,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (result.kind === 'failed') throw new Error(`the operators' webhook failed: ${result.reason}`);
      if (result.status >= 300) throw new Error(`the operators' webhook answered ${result.status}`);
    },
  };
};

/** One alert for each group of trouble: in the log, and to the operators where they gave a URL. */
export const composeAlerts = (
  base: Base,
  settings: Pick<LifecycleSettings, 'ALERT_WEBHOOK_URL' | 'ALERT_WINDOW_S'>,
  more: readonly OperatorChannel[] = [],
): GroupedAlerts =>
  new GroupedAlerts({
    window: new MongoAlertWindow(base.databases),
    channels: [...(settings.ALERT_WEBHOOK_URL === undefined ? [] : [webhookTo(settings.ALERT_WEBHOOK_URL)]), ...more],
    log: base.log,
    windowMs: settings.ALERT_WINDOW_S * 1000,
    now: base.now,
  });
