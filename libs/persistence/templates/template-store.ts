import { type mongo, Types } from 'mongoose';
import type { Template, TemplateFilter, TemplateKind, TemplateStore } from '#templates/ports';
import type { Databases } from '../databases.js';
import { isDuplicateKey } from '../errors.js';
import { NOW } from '../expressions.js';
import { packJson, unpackJson } from '../free-json.js';
import { newestFirst, objectIdOf, olderThan } from '../schema.js';
import { type TemplateDocument, templates } from './schema.js';

/** Who writes versions of the same template at the same moment; more is no accident. */
const MAX_TRIES = 20;

const packed = ({ content, variables }: Pick<Template, 'content' | 'variables'>) => ({
  content: { ...content, data: packJson(content.data) },
  variables: packJson(variables),
});

export class MongoTemplateStore implements TemplateStore {
  constructor(private readonly databases: Databases) {}

  async insert(draft: Omit<Template, 'version' | 'liveAt'>): Promise<Template> {
    const { id, ...rest } = draft;
    const { serviceName, name, channel, locale } = draft;
    return this.within(async (collection) => {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const [last] = await collection
          .find(
            { serviceName, name, channel, locale },
            { sort: { version: -1 }, limit: 1, projection: { _id: 0, version: 1 } },
          )
          .toArray();
        const version = (last?.version ?? 0) + 1;
        try {
          await collection.insertOne({
            ...rest,
            ...packed(draft),
            _id: Types.ObjectId.createFromHexString(id),
            version,
          });
          return { ...draft, version, liveAt: null };
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
        }
      }
      throw new Error('no free version of a template after many tries');
    });
  }

  async find(id: string): Promise<Template | null> {
    const _id = objectIdOf(id);
    if (_id === null) return null;
    return orNull(await this.within((collection) => collection.findOne({ _id })));
  }

  async page(
    { services, name, channel, locale, status }: TemplateFilter,
    limit: number,
    after: { createdAt: Date; id: string } | null,
  ): Promise<Template[]> {
    const filter = {
      serviceName: { $in: [...services] },
      ...(name === undefined ? {} : { name }),
      ...(channel === undefined ? {} : { channel }),
      ...(locale === undefined ? {} : { locale }),
      ...(status === undefined ? {} : { status }),
      ...olderThan(after),
    };
    const documents = await this.within((collection) =>
      collection.find(filter, { sort: newestFirst, limit }).toArray(),
    );
    return documents.map(templateOf);
  }

  async lookUp({ serviceName, name, channel, locale }: TemplateKind, version: number | null): Promise<Template | null> {
    const kind = { serviceName, name, channel, locale };
    return orNull(
      await this.within((collection) =>
        version === null
          ? collection.findOne({ ...kind, liveAt: { $exists: true } }, { sort: { liveAt: -1, version: -1 } })
          : collection.findOne({ ...kind, version }),
      ),
    );
  }

  async update(
    id: string,
    { content, variables, updatedAt, updatedBy }: Pick<Template, 'content' | 'variables' | 'updatedAt' | 'updatedBy'>,
  ): Promise<Template | null> {
    return this.change(id, { status: 'draft' }, { $set: { ...packed({ content, variables }), updatedAt, updatedBy } });
  }

  async publish(id: string, actor: string): Promise<Template | null> {
    return this.change(id, {}, [
      {
        $set: {
          status: 'published',
          publishedAt: { $ifNull: ['$publishedAt', NOW] },
          liveAt: NOW,
          updatedAt: NOW,
          updatedBy: { $literal: actor },
        },
      },
    ]);
  }

  async deleteDraft(id: string): Promise<boolean> {
    const _id = objectIdOf(id);
    if (_id === null) return false;
    const { deletedCount } = await this.within((collection) => collection.deleteOne({ _id, status: 'draft' }));
    return deletedCount === 1;
  }

  private async change(
    id: string,
    filter: mongo.Filter<TemplateDocument>,
    update: mongo.UpdateFilter<TemplateDocument> | mongo.Document[],
  ): Promise<Template | null> {
    const _id = objectIdOf(id);
    if (_id === null) return null;
    return orNull(
      await this.within((collection) =>
        collection.findOneAndUpdate({ ...filter, _id }, update, { returnDocument: 'after' }),
      ),
    );
  }

  private within<R>(work: (collection: mongo.Collection<TemplateDocument>) => Promise<R>): Promise<R> {
    return this.databases.inControl(templates, work);
  }
}

const templateOf = ({ _id, content, variables, liveAt, ...rest }: TemplateDocument): Template => ({
  ...rest,
  id: _id.toHexString(),
  content: { ...content, data: unpackJson(content.data) },
  variables: unpackJson(variables),
  liveAt: liveAt ?? null,
});
const orNull = (document: TemplateDocument | null): Template | null =>
  document === null ? null : templateOf(document);
