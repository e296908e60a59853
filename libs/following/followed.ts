export interface FollowedOptions<T> {
  read: () => Promise<T>;
  /** Until it was read for the first time. */
  initial: T;
  onProblem: (error: unknown) => void;
}

/** After a read that failed it is tried again so much later, in milliseconds. */
const AGAIN_MS = 1_000;

/** What a process keeps in memory of a store: read again when it is told that something has changed. */
export class Followed<T> {
  private value: T;
  private reading: Promise<void> | null = null;
  private isStale = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: FollowedOptions<T>) {
    this.value = options.initial;
  }

  get current(): T {
    return this.value;
  }

  /**
   * Reads it again; what is changed while it is being read is read after that. Never rejects: as long as the store does
   * not answer, the last value holds, and it is tried again.
   */
  refresh(): Promise<void> {
    this.isStale = true;
    this.reading ??= this.readAll().finally(() => (this.reading = null));
    return this.reading;
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private async readAll(): Promise<void> {
    while (this.isStale) {
      this.isStale = false;
      try {
        this.value = await this.options.read();
      } catch (error) {
        this.options.onProblem(error);
        if (this.timer !== null) clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.refresh(), AGAIN_MS).unref();
      }
    }
  }
}
