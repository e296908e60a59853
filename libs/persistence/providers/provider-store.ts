import type { Channel } from '#contracts/vocabulary';
import type { DisabledProvider, ProviderReport, ProviderStore } from '#providers/ports';
import type { Databases } from '../databases.js';
import { isDuplicateKey } from '../errors.js';
import { disabledProviders, providerReports } from './schema.js';

export class MongoProviderStore implements ProviderStore {
  constructor(private readonly databases: Databases) {}

  async disabled(): Promise<DisabledProvider[]> {
    const documents = await this.databases.inControl(disabledProviders, (collection) => collection.find({}).toArray());
    return documents.map(({ channel, name, reason, by, at }) => ({ channel, name, reason, by, at }));
  }

  async disable(provider: DisabledProvider): Promise<void> {
    await this.databases.inControl(disabledProviders, async (collection) => {
      try {
        await collection.insertOne({ _id: `${provider.channel}/${provider.name}`, ...provider });
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
    });
  }

  async enable(channel: Channel, name: string): Promise<void> {
    await this.databases.inControl(disabledProviders, (collection) =>
      collection.deleteOne({ _id: `${channel}/${name}` }),
    );
  }

  async report(reports: readonly ProviderReport[]): Promise<void> {
    if (reports.length === 0) return;
    await this.databases.inControl(providerReports, (collection) =>
      collection.bulkWrite(
        reports.map((report) => ({
          replaceOne: {
            filter: { _id: `${report.channel}/${report.name}/${report.dispatcher}` },
            replacement: report,
            upsert: true,
          },
        })),
        { ordered: false },
      ),
    );
  }

  async reports(since: Date): Promise<ProviderReport[]> {
    const documents = await this.databases.inControl(providerReports, (collection) =>
      collection.find({ at: { $gte: since } }, { projection: { _id: 0 } }).toArray(),
    );
    return documents;
  }
}
