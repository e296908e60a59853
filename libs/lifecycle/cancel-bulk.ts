import type { Caller } from '#domain/caller';
import { Conflict, InsufficientScope, InvalidTransition, NotFound } from '#domain/errors';
import type { BulkRecords, CancellableBulk, Clock, NotificationStore } from './ports.js';

export interface BulkCancellationParts {
  bulks: BulkRecords;
  store: Pick<NotificationStore, 'cancelOfBulk'>;
  now: Clock;
}

/** Cancels what a bulk has not sent. The relay tells of each notification; the completion job closes the bulk. */
export class BulkCancellation {
  constructor(private readonly parts: BulkCancellationParts) {}

  /**
   * Nothing more of it is claimed when this resolves, but for what was being sent. Does nothing to one that is
   * cancelled.
   * @throws NotFound, InsufficientScope for what another client sent, InvalidTransition once it is completed, Conflict
   */
  async cancel(caller: Caller, id: string, { note }: { note?: string | null | undefined }): Promise<void> {
    const { bulks, store, now } = this.parts;
    const bulk = await this.find(caller, id);
    if (bulk.status === 'cancelled') return;
    if (bulk.status === 'completed' || bulk.status === 'accepting')
      throw new InvalidTransition(null, [], `a bulk that is ${bulk.status} cannot be cancelled`);
    const at = now();
    if (bulk.status === 'running' && (await bulks.move(id, ['running'], 'cancelling', at)) === null) {
      const { status } = await this.find(caller, id);
      if (status === 'cancelled') return;
      if (status === 'completed') throw new InvalidTransition(null, [], 'a bulk that is completed cannot be cancelled');
      if (status !== 'cancelling') throw new Conflict();
    }
    await store.cancelOfBulk(bulk.serviceName, id, { to: 'cancelled', at, actor: caller.actor, reason: note ?? null });
  }

  private async find(caller: Caller, id: string): Promise<CancellableBulk> {
    const bulk = await this.parts.bulks.find(id);
    if (bulk === null || !caller.services.has(bulk.serviceName)) throw new NotFound('bulk');
    if (bulk.owner !== caller.owner && !caller.scopes.has('notifications:manage'))
      throw new InsufficientScope(['notifications:manage']);
    return bulk;
  }
}
