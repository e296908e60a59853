import type { Channel, OutcomeKind, ProviderHealth } from '#contracts/vocabulary';
import type { ProviderLimits } from './limits.js';

/** Which providers an operator has taken out of service; known without asking, and kept up to date behind. */
export interface ProviderSwitches {
  isDisabled(channel: Channel, provider: string): boolean;
}

/** What came of calls, over the last five minutes. */
export interface ProviderCounts {
  sent: number;
  failed: number;
  uncertain: number;
  rateLimited: number;
}

/** A provider as one process sees it. */
export interface ProviderFigures {
  channel: Channel;
  name: string;
  /** Whose messages go this way, and as which choice: 1 for the first. `*` stands for all that are not named. */
  services: readonly { serviceName: string; order: number }[];
  health: ProviderHealth;
  /** When the health became what it is. */
  since: Date;
  lastError: { code: string; at: Date } | null;
  counts: ProviderCounts;
}

/** What the ways to providers need of the rest of the house, and tell it. */
export interface ProviderParts {
  switches: ProviderSwitches;
  limits: ProviderLimits;
  onCall?: (channel: Channel, provider: string, outcome: OutcomeKind) => void;
  onHealth?: (channel: Channel, provider: string, health: ProviderHealth) => void;
  /** The next one took over, because of that outcome. After `uncertain` it may arrive twice. */
  onFailover?: (channel: Channel, from: string, to: string, why: OutcomeKind) => void;
}
