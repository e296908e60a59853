import type { Channel, ErrorClass } from '#contracts/vocabulary';

/** Something that the operators should look at. */
export interface Alert {
  /** Alerts of one group within the window are one: `<class>:<service>:<channel>`. */
  group: string;
  class: ErrorClass;
  serviceName: string | null;
  channel: Channel | null;
  code: string;
  reason: string;
}

export const alertGroup = (alert: Pick<Alert, 'class' | 'serviceName' | 'channel'>): string =>
  `${alert.class}:${alert.serviceName ?? '-'}:${alert.channel ?? '-'}`;

/** Port of every use case that alerts. */
export interface Alerts {
  /** Never throws, and never makes a notification. */
  raise(alert: Alert): Promise<void>;
}
