import { Schema, type Types } from 'mongoose';
import { CollectionOf } from '../databases.js';
import { schemaOf } from '../schema.js';

/** The places of one key in one minute. */
export interface LimitDocument {
  /** `<minute>|<key>`, the minute as a number of eight digits since 1970: the minutes that are over come first, in one range. */
  _id: string;
  taken: number;
  /** Who got how many, by the token of the batch. Not those who got none. */
  grants: { token: Types.ObjectId; count: number }[];
}

/** Found and removed by _id: needs no index, which each new counter would pay for. */
export const limits = new CollectionOf<LimitDocument>('limits', () =>
  schemaOf({
    _id: String,
    taken: { type: Number, required: true },
    grants: [{ _id: false, token: Schema.Types.ObjectId, count: Number }],
  }),
);
