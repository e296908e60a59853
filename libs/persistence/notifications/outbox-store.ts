import type { OutboxStore } from '#outbox/ports';
import type { Databases } from '../databases.js';
import { objectIdsOf } from '../schema.js';
import { notifications } from './schema.js';

type Told = readonly { id: string; version: number }[];

const WAKE_WHEN_DUE = {
  at: '$nextAttemptAt',
  wake: { $literal: true },
  status: { $literal: false },
  previousStatus: { $literal: null },
  deadLetter: { $literal: false },
};

export class MongoOutboxStore implements OutboxStore {
  constructor(private readonly databases: Databases) {}

  clearOutbox(serviceName: string, told: Told): Promise<void> {
    return this.databases.inService(serviceName, notifications, async (collection) => {
      await Promise.all(
        byVersion(told).map(([version, ids]) =>
          collection.updateMany({ _id: { $in: objectIdsOf(ids) }, version }, { $unset: { outbox: '' } }),
        ),
      );
    });
  }

  deferWake(serviceName: string, told: Told): Promise<void> {
    return this.databases.inService(serviceName, notifications, async (collection) => {
      await Promise.all(
        byVersion(told).map(([version, ids]) =>
          collection.updateMany({ _id: { $in: objectIdsOf(ids) }, version, state: 'approved' }, [
            { $set: { outbox: WAKE_WHEN_DUE } },
          ]),
        ),
      );
    });
  }
}

/** Those that were told together mostly have the same version. */
const byVersion = (told: Told): [number, string[]][] =>
  [...Map.groupBy(told, ({ version }) => version)].map(([version, group]) => [version, group.map(({ id }) => id)]);
