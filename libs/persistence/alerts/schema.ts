import { CollectionOf } from '../databases.js';
import { schemaOf, SECONDS_PER_DAY } from '../schema.js';

export interface AlertWindowDocument {
  /** The group. */
  _id: string;
  /** Of the alert that began the window. */
  token: string;
  until: Date;
  /** Alerts of this window that were not raised. */
  suppressed: number;
}

/** How long after its end a window can be looked at. */
const KEPT_SECONDS = 7 * SECONDS_PER_DAY;

export const alertWindows = new CollectionOf<AlertWindowDocument>('alertWindows', () => {
  const schema = schemaOf({ _id: String, token: String, until: Date, suppressed: Number });
  // Removes what is over. Windows are found by _id.
  schema.index({ until: 1 }, { name: 'retention', expireAfterSeconds: KEPT_SECONDS });
  return schema;
});
