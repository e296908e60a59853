import type { Channel } from '#contracts/vocabulary';
import type { ChannelGrant, ChannelLimits, ChannelPlaceRequest, Place, ProviderLimits } from '#domain/limits';
import { placeOf } from '#domain/limits';
import { type PlaceKeeper, subjectKey } from './ports.js';
import type { LimitRules } from './rules.js';

/** Where the places themselves could not be looked up, it is tried again so much later, in milliseconds. */
const LOOK_AGAIN_MS = 1_000;

/** Places in the limits of services and channels. */
export class ChannelReservations implements ChannelLimits {
  constructor(
    private readonly rules: LimitRules,
    private readonly keeper: PlaceKeeper,
  ) {}

  isLimited(serviceName: string, channel: Channel): boolean {
    return this.rules.ofChannel(serviceName, channel) !== null;
  }

  /** @throws Unavailable */
  reserve(requests: readonly ChannelPlaceRequest[]): Promise<ChannelGrant[]> {
    return Promise.all(requests.map((request) => this.reserveOne(request)));
  }

  private reserveOne({ serviceName, channel, onLimit, otherwise }: ChannelPlaceRequest): Promise<ChannelGrant> {
    const rule = this.rules.ofChannel(serviceName, channel);
    // Lifted a moment ago.
    if (rule === null) return Promise.resolve({ granted: true, at: new Date(0) });
    const mode = onLimit ?? rule.onLimit ?? otherwise;
    return this.keeper.reserve(subjectKey({ serviceName, channel, provider: null }), { rule, mode });
  }
}

/** Places in the limits of providers. Never fails: where it is not known whether there is one, there is none yet. */
export class ProviderReservations implements ProviderLimits {
  constructor(
    private readonly rules: LimitRules,
    private readonly keeper: PlaceKeeper,
    private readonly onProblem: (error: unknown) => void,
  ) {}

  async take(channel: Channel, provider: string): ReturnType<ProviderLimits['take']> {
    const rule = this.rules.ofProvider(channel, provider);
    if (rule === null) return { taken: true };
    try {
      const grant = await this.keeper.reserve(subjectKey({ serviceName: null, channel, provider }), {
        rule,
        mode: 'fail',
      });
      return grant.granted ? { taken: true } : { taken: false, retryAfterMs: grant.retryAfterMs };
    } catch (error) {
      this.onProblem(error);
      return { taken: false, retryAfterMs: LOOK_AGAIN_MS };
    }
  }

  async reserve(channel: Channel, provider: string): Promise<Place | null> {
    const rule = this.rules.ofProvider(channel, provider);
    if (rule === null) return null;
    try {
      const grant = await this.keeper.reserve(subjectKey({ serviceName: null, channel, provider }), {
        rule,
        mode: 'wait',
      });
      return grant.granted ? { of: placeOf(channel, provider), at: grant.at } : null;
    } catch (error) {
      this.onProblem(error);
      return null;
    }
  }
}
