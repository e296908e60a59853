import type { Place, ProviderLimits } from '#domain/limits';
import { placeOf } from '#domain/limits';
import type { ProviderParts } from '#domain/providers';

/** Limits of providers in memory: so many places for each, and after those one each second from `start` on. */
export class MemoryProviderLimits implements ProviderLimits {
  readonly left = new Map<string, number>();
  private reserved = 0;

  constructor(private readonly start = new Date()) {}

  take(...[channel, provider]: Parameters<ProviderLimits['take']>): ReturnType<ProviderLimits['take']> {
    const of = placeOf(channel, provider);
    const left = this.left.get(of) ?? Infinity;
    if (left <= 0) return Promise.resolve({ taken: false, retryAfterMs: 1_000 });
    this.left.set(of, left - 1);
    return Promise.resolve({ taken: true });
  }

  reserve(...[channel, provider]: Parameters<ProviderLimits['reserve']>): Promise<Place> {
    this.reserved += 1;
    return Promise.resolve({
      of: placeOf(channel, provider),
      at: new Date(this.start.getTime() + this.reserved * 1_000),
    });
  }
}

/** No provider is disabled, and none has a limit. */
export const openProviders = (over: Partial<ProviderParts> = {}): ProviderParts => ({
  switches: { isDisabled: () => false },
  limits: new MemoryProviderLimits(),
  ...over,
});
