import type { CleanUpRequest } from '#contracts/http/maintenance';
import type { Caller } from '#domain/caller';
import { ServiceNotAllowed } from '#domain/errors';
import type { CleanedUp, CleanUp } from './clean-up.js';

/** In one call and service, so that its answer is not waited for too long. */
const CALL_LIMIT = 50_000;

/** Upkeep that a person or a program asks for, within what the key may use. */
export class Maintenance {
  constructor(private readonly cleanUp: Pick<CleanUp, 'cleanUp'>) {}

  /** @throws ServiceNotAllowed */
  cleaned(caller: Caller, { serviceName, olderThanDays, dryRun }: CleanUpRequest): Promise<CleanedUp> {
    if (serviceName !== undefined && !caller.services.has(serviceName)) throw new ServiceNotAllowed();
    const services = serviceName === undefined ? [...caller.services] : [serviceName];
    return this.cleanUp.cleanUp({ services, olderThanDays, dryRun, limit: CALL_LIMIT });
  }
}
