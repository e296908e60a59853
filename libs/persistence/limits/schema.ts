import { CollectionOf } from '../databases.js';
import { schemaOf } from '../schema.js';

/** The places of one key in one minute. */
export interface LimitDocument {
  /** `<key>|<minute>`, the minute as a number of eight digits since 1970: the minutes of a key lie side by side. */
  _id: string;
  minute: Date;
  taken: number;
  /** Who got how many, by the token of the batch. Not those who got none. */
  grants: { token: string; count: number }[];
}

/** A counter is of no use once its minute is over; kept for clocks that disagree. */
const KEPT_SECONDS = 3600;

export const limits = new CollectionOf<LimitDocument>('limits', () => {
  const schema = schemaOf({
    _id: String,
    minute: { type: Date, required: true },
    taken: { type: Number, required: true },
    grants: [{ _id: false, token: String, count: Number }],
  });
  // Removes what is over. Counters are found by _id.
  schema.index({ minute: 1 }, { name: 'retention', expireAfterSeconds: KEPT_SECONDS });
  return schema;
});
