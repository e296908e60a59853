import type { Invalidation } from '#contracts/messages';
import { invalidationBinding } from '#contracts/topology';
import type { Log } from './log.js';
import { OwnQueue } from './own-queue.js';

export interface InvalidationOptions {
  log: Log;
  onInvalidation: (invalidation: Invalidation) => void;
  /** Messages may have been missed, so caches are to be dropped. Called each time the queue is there, the first time too. */
  onReconnected: () => void;
}

/** What Carillon's processes tell each other of what they cache. While it does not listen, what is cached can be stale. */
export class InvalidationListener extends OwnQueue<'carillon.invalidate'> {
  constructor({ log, onInvalidation, onReconnected }: InvalidationOptions) {
    super({ log, type: 'carillon.invalidate', binding: invalidationBinding, onMessage: onInvalidation, onReconnected });
  }
}
