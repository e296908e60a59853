import type { Channel } from '#contracts/vocabulary';
import type { ChannelGrant, ChannelLimits, ChannelPlaceRequest } from '#domain/limits';

/** Limits of services and channels in memory: so many places, and after those one each second from `start` on. */
export class MemoryChannelLimits implements ChannelLimits {
  readonly left = new Map<string, number>();
  readonly batches: number[] = [];
  private reserved = 0;

  constructor(private readonly start = new Date()) {}

  isLimited(serviceName: string, channel: Channel): boolean {
    return this.left.has(`${serviceName}/${channel}`);
  }

  reserve(requests: readonly ChannelPlaceRequest[]): Promise<ChannelGrant[]> {
    this.batches.push(requests.length);
    return Promise.resolve(
      requests.map(({ serviceName, channel, onLimit, otherwise }) => {
        const left = this.left.get(`${serviceName}/${channel}`) ?? Infinity;
        if (left > 0) {
          this.left.set(`${serviceName}/${channel}`, left - 1);
          return { granted: true, at: this.start };
        }
        if ((onLimit ?? otherwise) === 'fail') return { granted: false, retryAfterMs: 1_500 };
        this.reserved += 1;
        return { granted: true, at: new Date(this.start.getTime() + this.reserved * 1_000) };
      }),
    );
  }
}
