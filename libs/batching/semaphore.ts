/** So many places; work takes some while it lasts, first come first served. */
export class Semaphore {
  private free: number;
  private readonly queue: { places: number; begin: () => void }[] = [];

  constructor(private readonly size: number) {
    this.free = size;
  }

  /** What asks for more places than there are takes all of them. */
  async run<R>(work: () => Promise<R>, wanted = 1): Promise<R> {
    const places = Math.min(wanted, this.size);
    if (this.queue.length === 0 && this.free >= places) this.free -= places;
    else await new Promise<void>((begin) => this.queue.push({ places, begin }));
    try {
      return await work();
    } finally {
      this.free += places;
      this.letIn();
    }
  }

  private letIn(): void {
    for (let next = this.queue[0]; next !== undefined && next.places <= this.free; next = this.queue[0]) {
      this.queue.shift();
      this.free -= next.places;
      next.begin();
    }
  }
}
