import type { mongo, Types } from 'mongoose';
import type { ClaimRequest, DeliveryStore } from '#delivery/ports';
import type { Delivery, Notification } from '#domain/notification';
import type { Settlement } from '#domain/settle';
import type { Databases } from '../databases.js';
import { isUnreachable } from '../errors.js';
import { append, byId, increment, later, NOW, REMOVE, setIf } from '../expressions.js';
import { objectIdOf, objectIdsOf } from '../schema.js';
import { fromDocument } from './document.js';
import { type NotificationDocument, notifications } from './schema.js';
import { settleUpdate, transition } from './settle-update.js';

type Collection = mongo.Collection<NotificationDocument>;
type Filter = mongo.Filter<NotificationDocument>;

interface Entry {
  index: number;
  _id: Types.ObjectId;
  settlement: Settlement;
}

/** All writes here can be repeated: a lease token tells what was written already. */
export class MongoDeliveryStore implements DeliveryStore {
  constructor(private readonly databases: Databases) {}

  claim({ serviceName, ids, token, leaseMs }: ClaimRequest): Promise<Notification[]> {
    const _ids = objectIdsOf(ids);
    if (_ids.length === 0) return Promise.resolve([]);
    return this.databases.inService(serviceName, notifications, (collection) =>
      twice(async (repeated) => {
        const [only] = _ids;
        if (only !== undefined && _ids.length === 1 && !repeated) {
          const before = { _id: only, state: 'approved' } as const;
          const one = await collection.findOneAndUpdate(before, claimUpdate(token, leaseMs), AFTERWARDS);
          return one?.lease?.token === token ? [fromDocument(one)] : [];
        }
        const { modifiedCount } = await collection.updateMany(
          { _id: { $in: _ids }, state: 'approved' },
          claimUpdate(token, leaseMs),
        );
        if (modifiedCount === 0 && !repeated) return [];
        const claimed = await collection.find(heldBy(_ids, token), allOf(_ids)).toArray();
        return claimed.map(fromDocument);
      }),
    );
  }

  async freezeDeliveries(
    serviceName: string,
    token: string,
    frozen: readonly { id: string; deliveries: Delivery[] }[],
  ): Promise<ReadonlySet<string>> {
    const values = new Map(
      frozen.flatMap(({ id, deliveries }) => {
        const _id = objectIdOf(id);
        return _id === null ? [] : [[_id, deliveries] as const];
      }),
    );
    if (values.size === 0) return new Set();
    const _ids = [...values.keys()];
    return this.databases.inService(serviceName, notifications, (collection) =>
      twice(async () => {
        const { matchedCount } = await collection.updateMany(heldBy(_ids, token), [
          { $set: { deliveries: byId(values) } },
        ]);
        if (matchedCount === _ids.length) return new Set(_ids.map((id) => id.toHexString()));
        const held = await collection.find(heldBy(_ids, token), { ...allOf(_ids), projection: { _id: 1 } }).toArray();
        return new Set(held.map(({ _id }) => _id.toHexString()));
      }),
    );
  }

  async settle(settlements: readonly Settlement[]): Promise<boolean[]> {
    const held = new Array<boolean>(settlements.length).fill(false);
    for (const round of roundsOf(settlements))
      await Promise.all(
        [...round].map(([serviceName, entries]) =>
          this.databases.inService(serviceName, notifications, (collection) =>
            twice(() => settleIn(collection, entries, held)),
          ),
        ),
      );
    return held;
  }
}

/** Repeats once what a lost connection interrupted. */
const twice = async <T>(work: (repeated: boolean) => Promise<T>): Promise<T> => {
  try {
    return await work(false);
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return work(true);
  }
};

const AFTERWARDS = { returnDocument: 'after' } as const;

const heldBy = (_ids: readonly Types.ObjectId[], token: string): Filter => ({
  _id: { $in: [..._ids] },
  state: 'sending',
  'lease.token': token,
});

/** One answer of the server is enough for all. */
const allOf = (ids: readonly unknown[]): { batchSize: number } => ({ batchSize: ids.length + 1 });

const claimUpdate = (token: string, leaseMs: number): mongo.Document[] =>
  setIf(
    { $and: [{ $gt: ['$nextAttemptAt', null] }, { $lte: ['$nextAttemptAt', NOW] }] },
    {
      state: 'sending',
      version: increment('$version'),
      claims: increment('$claims'),
      lease: { token: { $literal: token }, until: later(NOW, leaseMs) },
      waiting: REMOVE,
      updatedAt: NOW,
      history: append('$history', transition('approved', 'sending', { $literal: null })),
      // A status that nobody was told yet is still owed.
      outbox: { $cond: ['$outbox.status', { $mergeObjects: ['$outbox', { wake: { $literal: false } }] }, REMOVE] },
    },
  );

/** By service, in rounds in which no notification stands twice: one that was lost and claimed again may. */
const roundsOf = (settlements: readonly Settlement[]): Map<string, Entry[]>[] => {
  const rounds: { seen: Set<string>; services: Map<string, Entry[]> }[] = [];
  settlements.forEach((settlement, index) => {
    const _id = objectIdOf(settlement.id);
    if (_id === null) return;
    let round = rounds.find(({ seen }) => !seen.has(settlement.id));
    if (round === undefined) rounds.push((round = { seen: new Set(), services: new Map() }));
    round.seen.add(settlement.id);
    const entries = round.services.get(settlement.serviceName);
    if (entries === undefined) round.services.set(settlement.serviceName, [{ index, _id, settlement }]);
    else entries.push({ index, _id, settlement });
  });
  return rounds.map(({ services }) => services);
};

const settleIn = async (collection: Collection, entries: readonly Entry[], held: boolean[]): Promise<void> => {
  const groups = Map.groupBy(entries, ({ settlement: { state, status, owedByClaim } }) =>
    [state, status, owedByClaim === true].join(),
  );
  await Promise.all(
    [...groups.values()].map(async (group) => {
      const settled = (await settleGroup(collection, group)) ? group : await heldOf(collection, group);
      for (const { index } of settled) held[index] = true;
    }),
  );
};

/** @returns whether every one of them was written */
const settleGroup = async (collection: Collection, group: readonly Entry[]): Promise<boolean> => {
  const [first] = group;
  if (first === undefined) return true;
  const { state, status, owedByClaim = false } = first.settlement;
  const { modifiedCount } = await collection.updateMany(
    {
      _id: { $in: group.map(({ _id }) => _id) },
      state: 'sending',
      'lease.token': { $in: tokensOf(group) },
    },
    settleUpdate(new Map(group.map(({ _id, settlement }) => [_id, settlement])), { state, status, owedByClaim }),
  );
  return modifiedCount === group.length;
};

/** The token stays on what was settled under it: what another claimed since shows another's. */
const heldOf = async (collection: Collection, group: readonly Entry[]): Promise<readonly Entry[]> => {
  const settled = await collection
    .find(
      {
        _id: { $in: group.map(({ _id }) => _id) },
        state: { $ne: 'sending' },
        'lease.token': { $in: tokensOf(group) },
      },
      { ...allOf(group), projection: { 'lease.token': 1 } },
    )
    .toArray();
  const tokens = new Map(settled.map(({ _id, lease }) => [_id.toHexString(), lease?.token]));
  return group.filter(({ settlement }) => tokens.get(settlement.id) === settlement.token);
};

const tokensOf = (entries: readonly Entry[]): string[] => [
  ...new Set(entries.map(({ settlement }) => settlement.token)),
];
