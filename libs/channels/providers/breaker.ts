import { circuitBreaker, CircuitState, CountBreaker, handleWhenResult, type CircuitBreakerPolicy } from 'cockatiel';
import type { ProviderHealth } from '#contracts/vocabulary';

/** Opens when half of the last calls failed, and there were enough of them to tell. */
const SAMPLE = { threshold: 0.5, size: 20, minimumNumberOfCalls: 10 };
/** While one call probes, the others look again after so long, in milliseconds. */
const PROBE_MS = 1_000;

const HEALTH: Readonly<Record<CircuitState, ProviderHealth>> = {
  [CircuitState.Closed]: 'up',
  [CircuitState.HalfOpen]: 'probing',
  [CircuitState.Open]: 'down',
  [CircuitState.Isolated]: 'down',
};

/** Keeps calls from a provider that is down; one call at a time probes whether it is up again. */
export class Breaker {
  private readonly policy: CircuitBreakerPolicy;
  private openedAt = 0;

  /** @param halfOpenMs after so long one call may probe, in milliseconds */
  constructor(
    private readonly halfOpenMs: number,
    onChange: (health: ProviderHealth) => void,
  ) {
    this.policy = circuitBreaker(
      handleWhenResult((result) => (result as Judged<unknown>).isOutage),
      { halfOpenAfter: halfOpenMs, breaker: new CountBreaker(SAMPLE) },
    );
    this.policy.onStateChange((state) => {
      if (state === CircuitState.Open) this.openedAt = Date.now();
      onChange(HEALTH[state]);
    });
  }

  get health(): ProviderHealth {
    return HEALTH[this.policy.state];
  }

  /** Milliseconds until it is worth asking; 0 for now. */
  get closedForMs(): number {
    switch (this.policy.state) {
      case CircuitState.Closed:
        return 0;
      case CircuitState.HalfOpen:
        return Math.min(PROBE_MS, this.halfOpenMs);
      default:
        return Math.max(0, this.openedAt + this.halfOpenMs - Date.now());
    }
  }

  /** Null when the call may not be made now: nothing was done. */
  async run<T>(call: () => Promise<Judged<T>>): Promise<T | null> {
    // The library lets those that come while one probes wait for it, on their own time.
    if (this.closedForMs > 0) return null;
    return (await this.policy.execute(call)).value;
  }
}

/** What came of a call, and whether it speaks against the provider. */
export interface Judged<T> {
  value: T;
  isOutage: boolean;
}
