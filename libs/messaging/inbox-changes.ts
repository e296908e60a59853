import type { InboxChanged } from '#contracts/messages';
import { inboxBinding } from '#contracts/topology';
import type { Log } from './log.js';
import { OwnQueue } from './own-queue.js';

export interface InboxChangesOptions {
  log: Log;
  onChanged: (changed: InboxChanged) => void;
  /** Messages may have been missed: look at all. */
  onReconnected: () => void;
}

/** Far more than a gateway that works ever lets wait; what gives way is found by the slow poll. */
const MAX_WAITING = 10_000;

/** Hears whose inbox has changed. */
export class InboxChangesListener extends OwnQueue<'carillon.inbox'> {
  constructor({ log, onChanged, onReconnected }: InboxChangesOptions) {
    super({
      log,
      type: 'carillon.inbox',
      binding: inboxBinding,
      maxLength: MAX_WAITING,
      onMessage: onChanged,
      onReconnected,
    });
  }
}
