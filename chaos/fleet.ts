import type { House, PlatformApp } from '#testing/house';
import type { AppProcess } from '#testing/processes';

/** The processes of a house through kills and restarts: each keeps its name and its port. */
export class Fleet {
  private readonly members: Record<PlatformApp, AppProcess[]>;

  constructor(private readonly house: House) {
    this.members = {
      'notification-api': [...house.gateways],
      dispatcher: [...house.dispatchers],
      scheduler: [...house.schedulers],
    };
  }

  /** All of them, whether they run right now or not: as a load balancer that does not know yet. */
  urls(app: PlatformApp): string[] {
    return this.members[app].map(({ url }) => url);
  }

  count(app: PlatformApp): number {
    return this.members[app].length;
  }

  /** kill -9 */
  kill(app: PlatformApp, index: number): Promise<void> {
    return this.member(app, index).kill();
  }

  /** kill -9 of each */
  async killAll(app: PlatformApp): Promise<void> {
    await Promise.all(this.members[app].map((member) => member.kill()));
  }

  async restartAll(app: PlatformApp): Promise<void> {
    await Promise.all(this.members[app].map((_, index) => this.restart(app, index)));
  }

  /** As Kubernetes stops a pod. @throws Error when it had to be killed, or ended badly */
  async stop(app: PlatformApp, index: number): Promise<void> {
    const code = await this.member(app, index).stop();
    if (code !== 0) throw new Error(`${app} ended with ${String(code)} when it was told to stop`);
  }

  async restart(app: PlatformApp, index: number): Promise<void> {
    const { name, url } = this.member(app, index);
    this.members[app][index] = await this.house.start(app, name, Number(new URL(url).port));
  }

  /** Starts another in its place; once it is ready, it is the one that counts. @returns the old one, which still runs */
  async replace(app: PlatformApp, index: number): Promise<AppProcess> {
    const old = this.member(app, index);
    const started = await this.house.start(app, old.name);
    this.members[app][index] = started;
    // Whoever asks the house asks this one from now on.
    if (app === 'notification-api') this.house.gateways[index] = started;
    return old;
  }

  private member(app: PlatformApp, index: number): AppProcess {
    const found = this.members[app][index];
    if (found === undefined) throw new Error(`there is no ${app} ${index}`);
    return found;
  }
}
