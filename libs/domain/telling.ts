import type { Told } from './announcement.js';

/** Waits until the broker has answered for all parts of a whole. */
export class Telling {
  private open = 0;
  private allConfirmed = true;
  private ended = false;

  /** @param over called once: every part was answered; where it fails, the relay tells all of it once more */
  constructor(private readonly over: (allConfirmed: boolean) => Promise<void>) {}

  /** One part more; who announces it calls the answer. */
  part(): Told {
    this.open += 1;
    return (confirmed) => {
      this.open -= 1;
      this.allConfirmed &&= confirmed;
      return this.look();
    };
  }

  /** There are no more parts. */
  end(): Promise<void> {
    this.ended = true;
    return this.look();
  }

  private async look(): Promise<void> {
    if (this.ended && this.open === 0) await this.over(this.allConfirmed).catch(() => undefined);
  }
}
