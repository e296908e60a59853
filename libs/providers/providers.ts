import { CHANNELS, type Channel, PROVIDERS } from '#contracts/vocabulary';
import type { Caller } from '#domain/caller';
import { NotFound } from '#domain/errors';
import type { DisabledProvider, Invalidations, ProviderReport, ProviderStore } from './ports.js';
import { PROVIDERS_CACHE } from './switches.js';

export interface ProvidersParts {
  store: ProviderStore;
  invalidations: Invalidations;
  now: () => Date;
}

/** A provider, with what is known of it. */
export interface ProviderStanding {
  channel: Channel;
  name: string;
  disabled: DisabledProvider | null;
  /** Of each dispatcher that told of it lately. */
  reports: ProviderReport[];
}

/** A dispatcher that told nothing for so long is not there any more, in milliseconds. */
const SILENT_MS = 30_000;

/** What operators do with providers. */
export class Providers {
  constructor(private readonly parts: ProvidersParts) {}

  async list(): Promise<ProviderStanding[]> {
    const { store, now } = this.parts;
    const [disabled, reports] = await Promise.all([
      store.disabled(),
      store.reports(new Date(now().getTime() - SILENT_MS)),
    ]);
    const isOf =
      (channel: Channel, name: string) =>
      (one: { channel: Channel; name: string }): boolean =>
        one.channel === channel && one.name === name;
    return CHANNELS.flatMap((channel) =>
      PROVIDERS[channel].map((name) => ({
        channel,
        name,
        disabled: disabled.find(isOf(channel, name)) ?? null,
        reports: reports.filter(isOf(channel, name)).toSorted((a, b) => (a.dispatcher < b.dispatcher ? -1 : 1)),
      })),
    );
  }

  /** @throws NotFound */
  async disable(caller: Caller, channel: Channel, name: string, reason: string | null): Promise<ProviderStanding> {
    check(channel, name);
    await this.parts.store.disable({ channel, name, reason, by: caller.actor, at: this.parts.now() });
    return this.changed(channel, name);
  }

  /** @throws NotFound */
  async enable(channel: Channel, name: string): Promise<ProviderStanding> {
    check(channel, name);
    await this.parts.store.enable(channel, name);
    return this.changed(channel, name);
  }

  private async changed(channel: Channel, name: string): Promise<ProviderStanding> {
    this.parts.invalidations.publish(PROVIDERS_CACHE, `${channel}/${name}`);
    const all = await this.list();
    const found = all.find((one) => one.channel === channel && one.name === name);
    if (found === undefined) throw new NotFound('provider');
    return found;
  }
}

const check = (channel: Channel, name: string): void => {
  if (!(PROVIDERS[channel] as readonly string[]).includes(name)) throw new NotFound('provider');
};
