import { GroupCommit } from '#batching/group-commit';
import type { ChangesAsked, InboxChange, InboxChanges } from './ports.js';
import { readerDigest } from './reader.js';

/** What one reader was asked about. */
export interface Found {
  /** By the database's clock, before it was looked: what had shown by then is among the changes. */
  at: Date;
  /** Oldest first. Null when there are more than are told one by one. */
  changes: InboxChange[] | null;
}

export type Reads = GroupCommit<ChangesAsked, Found>;

/** Changes of one reader that are told one by one, at the most. */
const MAX_CHANGES = 2_000;

const look = async (
  store: InboxChanges,
  asked: readonly ChangesAsked[],
  found: Map<ChangesAsked, InboxChange[] | null>,
): Promise<void> => {
  const [first] = asked;
  if (first === undefined) return;
  const changes = await store.changes(first.reader.serviceName, asked, MAX_CHANGES + 1);
  const isAll = changes.length <= MAX_CHANGES;
  const readers = Map.groupBy(asked, ({ reader }) => readerDigest(reader));
  if (!isAll && readers.size > 1) {
    // Somebody has too many: the others shall not suffer for it.
    await Promise.all([...readers.values()].map((own) => look(store, own, found)));
    return;
  }
  const byReader = Map.groupBy(changes, ({ reader }) => readerDigest(reader));
  for (const [digest, own] of readers)
    for (const one of own)
      found.set(one, isAll ? (byReader.get(digest) ?? []).filter(({ changedAt }) => changedAt >= one.from) : null);
};

/**
 * Looks for the changes of many readers at once.
 * @param groupOf those of one group are answered by one query, from the earliest time that one of them asks for
 */
export const readsOf = (
  store: InboxChanges,
  groupOf: (asked: ChangesAsked) => string,
  options: { maxBatch: number; maxInFlight: number },
): Reads =>
  new GroupCommit(async (asked) => {
    const at = await store.now();
    const found = new Map<ChangesAsked, InboxChange[] | null>();
    await Promise.all([...Map.groupBy(asked, groupOf).values()].map((group) => look(store, group, found)));
    return asked.map((one) => ({ value: { at, changes: found.get(one) ?? null } }));
  }, options);
