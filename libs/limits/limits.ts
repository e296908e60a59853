import type { Channel } from '#contracts/vocabulary';
import { PROVIDERS } from '#contracts/vocabulary';
import type { PutLimit } from '#contracts/http/limits';
import type { Caller } from '#domain/caller';
import { NotFound } from '#domain/errors';
import { type Invalidations, type LimitStore, type LimitSubject, subjectKey } from './ports.js';
import { LIMITS_CACHE, type LimitInForce, type LimitRules } from './rules.js';

export interface LimitsParts {
  store: LimitStore;
  rules: LimitRules;
  invalidations: Invalidations;
  now: () => Date;
}

/** What operators do with limits. */
export class Limits {
  constructor(private readonly parts: LimitsParts) {}

  /** Those of the services that the caller may use, and those of providers. */
  async list(caller: Caller): Promise<LimitInForce[]> {
    // What was changed a moment ago by another process may not be known here yet.
    await this.parts.rules.refresh();
    return this.parts.rules
      .all()
      .filter(({ subject }) => subject.serviceName === null || caller.services.has(subject.serviceName))
      .toSorted((a, b) => (subjectKey(a.subject) < subjectKey(b.subject) ? -1 : 1));
  }

  /** @throws NotFound for a service that the caller may not use, and a provider that the channel does not have */
  async put(caller: Caller, subject: LimitSubject, { onLimit = null, ...limit }: PutLimit): Promise<LimitInForce> {
    check(caller, subject);
    await this.parts.store.put({
      ...limit,
      subject,
      onLimit,
      updatedAt: this.parts.now(),
      updatedBy: caller.actor,
    });
    await this.changed(subject);
    return this.inForce(subject);
  }

  /** Back to the default. @throws NotFound also where nobody set one */
  async delete(caller: Caller, subject: LimitSubject): Promise<void> {
    check(caller, subject);
    if (!(await this.parts.store.delete(subject))) throw new NotFound('limit');
    await this.changed(subject);
  }

  private async changed(subject: LimitSubject): Promise<void> {
    this.parts.invalidations.publish(LIMITS_CACHE, subjectKey(subject));
    await this.parts.rules.refresh();
  }

  private inForce(subject: LimitSubject): LimitInForce {
    const key = subjectKey(subject);
    const found = this.parts.rules.all().find((one) => subjectKey(one.subject) === key);
    return found ?? this.parts.rules.defaultOf(subject);
  }
}

const check = (caller: Caller, { serviceName, channel, provider }: LimitSubject): void => {
  if (serviceName === null) {
    if (!hasProvider(channel, provider)) throw new NotFound('provider');
  } else if (!caller.services.has(serviceName)) throw new NotFound('service');
};

const hasProvider = (channel: Channel, provider: string): boolean =>
  (PROVIDERS[channel] as readonly string[]).includes(provider);
