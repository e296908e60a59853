import type { Channel } from '#contracts/vocabulary';
import { type LimitRow, type LimitStore, type LimitSubject, subjectKey } from '#limits/ports';
import type { DisabledProvider, ProviderReport, ProviderStore } from '#providers/ports';

export class MemoryLimitStore implements LimitStore {
  readonly rows = new Map<string, LimitRow>();

  all(): Promise<LimitRow[]> {
    return Promise.resolve([...this.rows.values()]);
  }

  put(row: LimitRow): Promise<void> {
    this.rows.set(subjectKey(row.subject), row);
    return Promise.resolve();
  }

  delete(subject: LimitSubject): Promise<boolean> {
    return Promise.resolve(this.rows.delete(subjectKey(subject)));
  }
}

export class MemoryProviderStore implements ProviderStore {
  private readonly switchedOff = new Map<string, DisabledProvider>();
  private readonly told = new Map<string, ProviderReport>();

  disabled(): Promise<DisabledProvider[]> {
    return Promise.resolve([...this.switchedOff.values()]);
  }

  disable(provider: DisabledProvider): Promise<void> {
    const key = `${provider.channel}/${provider.name}`;
    if (!this.switchedOff.has(key)) this.switchedOff.set(key, provider);
    return Promise.resolve();
  }

  enable(channel: Channel, name: string): Promise<void> {
    this.switchedOff.delete(`${channel}/${name}`);
    return Promise.resolve();
  }

  report(reports: readonly ProviderReport[]): Promise<void> {
    for (const report of reports) this.told.set(`${report.channel}/${report.name}/${report.dispatcher}`, report);
    return Promise.resolve();
  }

  reports(since: Date): Promise<ProviderReport[]> {
    return Promise.resolve([...this.told.values()].filter(({ at }) => at >= since));
  }
}
