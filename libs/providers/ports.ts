import type { Channel } from '#contracts/vocabulary';
import type { Invalidations } from '#domain/invalidations';
import type { ProviderFigures } from '#domain/providers';

export type { Invalidations };

/** A provider that an operator has taken out of service. */
export interface DisabledProvider {
  channel: Channel;
  name: string;
  reason: string | null;
  /** `key:<id>` */
  by: string;
  at: Date;
}

/** How a dispatcher sees a provider. */
export interface ProviderReport extends ProviderFigures {
  /** The dispatcher's, new with each start. */
  dispatcher: string;
  at: Date;
}

export interface ProviderStore {
  disabled(): Promise<DisabledProvider[]>;
  /** One that is disabled already stays as it is. */
  disable(provider: DisabledProvider): Promise<void>;
  enable(channel: Channel, name: string): Promise<void>;
  /** Puts the reports of one dispatcher in the place of its last ones. */
  report(reports: readonly ProviderReport[]): Promise<void>;
  /** Those that are not older. */
  reports(since: Date): Promise<ProviderReport[]>;
}
