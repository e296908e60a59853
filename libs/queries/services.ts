import type { Caller } from '#domain/caller';
import { NotFound, ServiceNotAllowed } from '#domain/errors';

/**
 * The services that a question is about: the one it names, or all that the caller may use.
 * @throws ServiceNotAllowed when it names one that the caller may not use
 */
export const servicesAsked = (caller: Caller, named: string | undefined): string[] => {
  if (named === undefined) return [...caller.services];
  if (!caller.services.has(named)) throw new ServiceNotAllowed();
  return [named];
};

/** @throws NotFound when the path leads into a service that the caller may not use */
export const requireVisible = (caller: Caller, serviceName: string, what: string): void => {
  if (!caller.services.has(serviceName)) throw new NotFound(what);
};
