import type { Caller } from '#domain/caller';
import type { AmqpUser } from './settings.js';

/** Who asks on RabbitMQ, by the `user_id` that the broker has validated. */
export class AmqpUsers {
  private readonly callers: ReadonlyMap<string, Caller>;

  constructor(users: ReadonlyMap<string, AmqpUser>) {
    this.callers = new Map(
      [...users].map(([user, { services, scopes }]) => [
        user,
        { actor: `amqp:${user}`, owner: user, scopes: new Set(scopes), services: new Set(services) },
      ]),
    );
  }

  /** Null when the user may do nothing here, or the message names none. */
  callerOf(userId: string | null | undefined): Caller | null {
    return userId == null ? null : (this.callers.get(userId) ?? null);
  }
}
