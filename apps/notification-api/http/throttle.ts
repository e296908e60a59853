import { type ExecutionContext, Injectable } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerStorage } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { RateLimited } from '#domain/errors';

type StorageRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

interface Window {
  hits: number;
  endsAt: number;
}

/**
 * Fixed windows, one counter for each key: the storage that the library brings keeps the time of every hit, which costs
 * more than the request itself at the rates meant here.
 */
export class WindowStorage implements ThrottlerStorage {
  private readonly windows = new Map<string, Window>();
  private sweepAt = 0;

  constructor(private readonly now: () => number = Date.now) {}

  /** @param ttl length of a window, in milliseconds */
  increment(key: string, ttl: number, limit: number): Promise<StorageRecord> {
    const now = this.now();
    if (now >= this.sweepAt) this.sweep(now, ttl);
    let window = this.windows.get(key);
    if (window === undefined || window.endsAt <= now) this.windows.set(key, (window = { hits: 0, endsAt: now + ttl }));
    window.hits += 1;
    const seconds = Math.ceil((window.endsAt - now) / 1000);
    const isBlocked = window.hits > limit;
    return Promise.resolve({
      totalHits: window.hits,
      timeToExpire: seconds,
      isBlocked,
      timeToBlockExpire: isBlocked ? seconds : 0,
    });
  }

  private sweep(now: number, ttl: number): void {
    for (const [key, { endsAt }] of this.windows) if (endsAt <= now) this.windows.delete(key);
    this.sweepAt = now + ttl;
  }
}

/** Limits what each key may ask of this process; what needs no key is not counted: strangers could use it up. */
@Injectable()
export class KeyThrottlerGuard extends ThrottlerGuard {
  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    const { caller, operation } = context.switchToHttp().getRequest<FastifyRequest>();
    return Promise.resolve(caller === null || operation?.signed === true);
  }

  protected override getTracker(request: FastifyRequest): Promise<string> {
    return Promise.resolve(request.caller?.actor ?? '');
  }

  protected override generateKey(_context: ExecutionContext, tracker: string): string {
    return tracker;
  }

  protected override throwThrottlingException(
    _context: ExecutionContext,
    detail: { timeToBlockExpire: number },
  ): Promise<void> {
    return Promise.reject(new RateLimited('key', detail.timeToBlockExpire));
  }
}
