import type { CleanUps } from './program.js';
import type { Servers } from './servers.js';

/** What a bench works with. */
export interface BenchOptions {
  servers: Servers;
  cleanUps: CleanUps;
  /** `--count`; each bench has its own. */
  count: number | null;
  /** `--seconds` of each round. */
  seconds: number | null;
  /** `--rounds`, product and floor by turns: the machine's moods hit both. */
  rounds: number;
  /** Progress, for people. */
  say: (text: string) => void;
}

export const CONNECTIONS = 50;
