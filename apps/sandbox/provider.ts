import type { FaultPlan, FaultRules } from './faults.js';
import type { Route } from './http.js';
import type { Ledger, Received } from './ledger.js';
import type { SandboxSettings } from './settings.js';

/** What a provider works with. */
export interface Stage {
  settings: SandboxSettings;
  ledger: Ledger;
  faults: FaultPlan;
  /** Aborts when the sandbox closes. */
  closing: AbortSignal;
}

/** A provider that is up. */
export interface RunningProvider {
  /** Of the shared HTTP server; tried in order. */
  routes: readonly Route[];
  /** For providers that listen by themselves. */
  port: number | null;
  /** PEM of the certificate that clients may trust, where there is one. */
  certificate: string | null;
  close(): Promise<void>;
}

/** One provider: a folder of its own and a line in `providers.ts`. */
export interface Provider {
  faultRules: FaultRules;
  start(stage: Stage): Promise<RunningProvider>;
  /** Reads a message for the page and the API. Called only when somebody looks. */
  describe(received: Received): Promise<Description>;
}

export interface Description {
  title: string | null;
  /** Plain text. */
  text: string;
  /** The whole message, as this protocol has it; JSON. */
  content: unknown;
}
