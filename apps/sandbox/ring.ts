/** The newest `capacity` items; an older one makes room for each further one. */
export class Ring<T> {
  private items: T[] = [];
  /** Where the next item goes once the ring is full. */
  private oldest = 0;

  constructor(private readonly capacity: number) {}

  push(item: T): void {
    if (this.items.length < this.capacity) {
      this.items.push(item);
      return;
    }
    this.items[this.oldest] = item;
    this.oldest = (this.oldest + 1) % this.capacity;
  }

  *newest(): Generator<T> {
    yield* this.items.slice(0, this.oldest).reverse();
    yield* this.items.slice(this.oldest).reverse();
  }

  clear(): void {
    this.items = [];
    this.oldest = 0;
  }
}
