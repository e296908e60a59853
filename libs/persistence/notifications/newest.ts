import type { mongo } from 'mongoose';
import type { NotificationFilter, Position } from '#queries/ports';
import { newestFirst, olderThan } from '../schema.js';
import { ofBulk } from './of-bulk.js';
import type { NotificationDocument } from './schema.js';

type Filter = mongo.Filter<NotificationDocument>;

/** What a list does not show: the long, the private, and what is ours. */
export const LISTED = {
  body: 0,
  html: 0,
  data: 0,
  to: 0,
  'deliveries.target': 0,
  'deliveries.attempts': 0,
  history: 0,
  idempotency: 0,
  outbox: 0,
} as const;

/** The order of lists, newest first: (createdAt, _id). */
export const byAge = (a: NotificationDocument, b: NotificationDocument): number =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a._id.toHexString() < b._id.toHexString() ? 1 : -1);

/**
 * One page of one database, in the order of lists. The indexes know only createdAt, which spares every insert a longer
 * key: where the page ends among several of the same time, those are read once more, in the order of `_id`.
 */
export const newest = async (
  collection: mongo.Collection<NotificationDocument>,
  filter: Omit<NotificationFilter, 'services'> & { serviceName: string },
  limit: number,
  after: Position | null,
): Promise<NotificationDocument[]> => {
  const options = { limit, batchSize: limit + 1, projection: LISTED };
  const where = { ...conditions(filter), ...periodOf(filter), $and: [after === null ? {} : olderThan(after)] };
  // Few match: the index that finds them is all that is needed. One that has the order would be walked from its end.
  if (isNarrow(filter)) return collection.find(where, { ...options, sort: newestFirst }).toArray();

  const ordered = { ...where, $and: [olderThan(after), ...where.$and] };
  const page = await collection.find(ordered, { ...options, sort: { createdAt: -1 } }).toArray();
  const last = page.at(-1);
  if (page.length < limit || last === undefined) return page;
  const alike = await collection
    .find({ ...where, createdAt: last.createdAt }, { ...options, sort: newestFirst })
    .toArray();
  return [...page.filter(({ createdAt }) => createdAt > last.createdAt), ...alike];
};

const isNarrow = ({ reference, bulkId, groupId }: Omit<NotificationFilter, 'services'>): boolean =>
  reference !== undefined || bulkId !== undefined || groupId !== undefined;

const conditions = (filter: Omit<NotificationFilter, 'services'> & { serviceName: string }): Filter => {
  const { serviceName, userId, tenantId, reference, bulkId, groupId } = filter;
  const equal = Object.entries({ serviceName, userId, tenantId, reference, groupId }).filter(
    ([, value]) => value !== undefined,
  );
  const { status, state, channel, type } = filter;
  const among = Object.entries({ status, state, channel, type }).flatMap(([name, values]) =>
    values === undefined ? [] : [[name, values.length === 1 ? values[0] : { $in: values }] as const],
  );
  return { ...Object.fromEntries<unknown>([...equal, ...among]), ...(bulkId === undefined ? {} : ofBulk(bulkId)) };
};

const periodOf = ({ createdFrom, createdTo }: Omit<NotificationFilter, 'services'>): Filter =>
  createdFrom === undefined && createdTo === undefined
    ? {}
    : {
        createdAt: {
          ...(createdFrom === undefined ? {} : { $gte: createdFrom }),
          ...(createdTo === undefined ? {} : { $lt: createdTo }),
        },
      };
