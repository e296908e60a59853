import { SCOPES } from '#contracts/vocabulary';
import type { Caller } from '#domain/caller';

/** Someone who may do everything in one service, but for what is said otherwise. */
export const callerOf = (over: Partial<Caller> = {}): Caller => ({
  actor: 'key:1',
  owner: 'billing',
  scopes: new Set(SCOPES),
  services: new Set(['diabetes']),
  ...over,
});
