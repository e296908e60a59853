import type { Told } from './ports.js';

/** Waits until the broker has confirmed all parts of a whole. */
export class Telling {
  private open = 0;
  private allConfirmed = true;
  private ended = false;

  /** @param allTold called at most once; where it fails, the relay tells all of it once more */
  constructor(private readonly allTold: () => Promise<void>) {}

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
    if (this.ended && this.open === 0 && this.allConfirmed) await this.allTold().catch(() => undefined);
  }
}
