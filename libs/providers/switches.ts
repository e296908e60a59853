import type { Channel } from '#contracts/vocabulary';
import type { ProviderSwitches } from '#domain/providers';
import { Followed } from '#following/followed';
import type { ProviderStore } from './ports.js';

/** The cache that the processes tell each other of. */
export const PROVIDERS_CACHE = 'providers';

/** Which providers are disabled, in memory. */
export class Switches implements ProviderSwitches {
  private readonly followed: Followed<ReadonlySet<string>>;

  constructor(store: Pick<ProviderStore, 'disabled'>, onProblem: (error: unknown) => void) {
    this.followed = new Followed<ReadonlySet<string>>({
      read: async () => new Set((await store.disabled()).map(({ channel, name }) => `${channel}/${name}`)),
      initial: new Set(),
      onProblem,
    });
  }

  isDisabled(channel: Channel, provider: string): boolean {
    return this.followed.current.has(`${channel}/${provider}`);
  }

  refresh(): Promise<void> {
    return this.followed.refresh();
  }

  close(): void {
    this.followed.close();
  }
}
