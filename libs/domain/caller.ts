import type { Scope } from '#contracts/vocabulary';

/** Who asks: a key or an AMQP user, resolved to what it may do. */
export interface Caller {
  /** `key:<id>` or `amqp:<user>`: stands in histories. */
  actor: string;
  /** The client that a key belongs to, unchanged by rotation; or the AMQP user. Scope of idempotency keys. */
  owner: string;
  scopes: ReadonlySet<Scope>;
  services: ReadonlySet<string>;
}
