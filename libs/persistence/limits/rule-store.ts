import type { Channel } from '#contracts/vocabulary';
import { type LimitRow, type LimitStore, type LimitSubject, subjectKey } from '#limits/ports';
import { CollectionOf, type Databases } from '../databases.js';
import { isDuplicateKey } from '../errors.js';
import { schemaOf } from '../schema.js';

interface LimitRuleDocument extends Omit<LimitRow, 'subject'> {
  /** `subjectKey` */
  _id: string;
  serviceName: string | null;
  channel: Channel;
  provider: string | null;
}

/** Read altogether, and found by _id: needs no index. */
export const limitRules = new CollectionOf<LimitRuleDocument>('limit_rules', () =>
  schemaOf({
    _id: String,
    serviceName: String,
    channel: { type: String, required: true },
    provider: String,
    kind: { type: String, required: true },
    max: Number,
    periodSeconds: { type: Number, required: true },
    onLimit: String,
    updatedAt: Date,
    updatedBy: String,
  }),
);

const subjectOf = ({ serviceName, channel, provider }: LimitRuleDocument): LimitSubject =>
  serviceName === null ? { serviceName, channel, provider: provider ?? '' } : { serviceName, channel, provider: null };

export class MongoLimitStore implements LimitStore {
  constructor(private readonly databases: Databases) {}

  async all(): Promise<LimitRow[]> {
    const documents = await this.databases.inControl(limitRules, (collection) => collection.find({}).toArray());
    return documents.map((document) => {
      const { kind, max, periodSeconds, onLimit, updatedAt, updatedBy } = document;
      return { subject: subjectOf(document), kind, max, periodSeconds, onLimit, updatedAt, updatedBy };
    });
  }

  async put({ subject, ...rest }: LimitRow): Promise<void> {
    const { serviceName, channel, provider } = subject;
    const document = { ...rest, serviceName, channel, provider };
    const _id = subjectKey(subject);
    await this.databases.inControl(limitRules, async (collection) => {
      const replace = async (): Promise<boolean> => (await collection.replaceOne({ _id }, document)).matchedCount === 1;
      if (await replace()) return;
      try {
        await collection.insertOne({ _id, ...document });
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        await replace();
      }
    });
  }

  async delete(subject: LimitSubject): Promise<boolean> {
    const { deletedCount } = await this.databases.inControl(limitRules, (collection) =>
      collection.deleteOne({ _id: subjectKey(subject) }),
    );
    return deletedCount === 1;
  }
}
