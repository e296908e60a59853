import { Readable } from 'node:stream';
import type { Sink } from '#inbox/streams';

/** Octets that may wait for one reader, beyond what the system's own buffers hold. */
const MAX_WAITING = 256 * 1024;

/** Neither kept nor held back by anything in between; nginx heeds the last one. */
export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  // Nothing follows the stream, and a process that stops would wait for it.
  connection: 'close',
} as const;

/** The body of an answer without end. A reader that lets too much wait loses the connection, and resumes. */
export class EventStream extends Readable implements Sink {
  constructor() {
    super({ highWaterMark: MAX_WAITING });
  }

  override _read(): void {
    // What there is has been pushed.
  }

  send(bytes: Buffer): boolean {
    if (this.destroyed) return false;
    if (this.readableLength + bytes.length <= MAX_WAITING) {
      this.push(bytes);
      return true;
    }
    this.destroy();
    return false;
  }

  end(): void {
    if (!this.destroyed) this.push(null);
  }
}
