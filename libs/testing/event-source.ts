import { Inbox } from './messaging.js';

/** An event as a reader gets it. */
export interface ReceivedEvent {
  id: string;
  event: string;
  data: Record<string, unknown>;
  /** By `performance.now()`. */
  at: number;
}

/** One open stream of server-sent events. */
export interface EventSource {
  /** Every event so far, and a way to wait for more. */
  readonly events: Inbox<ReceivedEvent>;
  readonly comments: Inbox<string>;
  /** Milliseconds, as the server asked. */
  readonly retryMs: () => number | null;
  /** Resolves when the server has ended it: true; false when the connection broke. */
  readonly ended: Promise<boolean>;
  close(): void;
}

/** What the server answered instead of a stream. */
export class NoStream extends Error {
  override readonly name = 'NoStream';
  constructor(
    readonly status: number,
    readonly body: Record<string, unknown>,
  ) {
    super(`no stream but ${status} ${JSON.stringify(body)}`);
  }
}

/**
 * Reads a stream as browsers do. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 * @throws NoStream
 */
export const openEventSource = async (url: string, headers: Record<string, string>): Promise<EventSource> => {
  const controller = new AbortController();
  const response = await fetch(url, { headers, signal: controller.signal });
  if (response.status !== 200 || response.body === null)
    throw new NoStream(response.status, (await response.json()) as Record<string, unknown>);
  const events = new Inbox<ReceivedEvent>();
  const comments = new Inbox<string>();
  let retryMs: number | null = null;
  const take = (block: string): void => {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      const at = line.indexOf(':');
      if (at === 0) comments.add(line.slice(1));
      else fields.set(line.slice(0, at), line.slice(at + 1).trimStart());
    }
    const retry = fields.get('retry');
    if (retry !== undefined) retryMs = Number(retry);
    const data = fields.get('data');
    if (data === undefined) return;
    events.add({
      id: fields.get('id') ?? '',
      event: fields.get('event') ?? 'message',
      data: JSON.parse(data) as Record<string, unknown>,
      at: performance.now(),
    });
  };
  const { body } = response;
  const read = async (): Promise<boolean> => {
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const chunk of body) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          take(text.slice(0, end));
          text = text.slice(end + 2);
        }
      }
      return true;
    } catch {
      return false;
    }
  };
  return { events, comments, retryMs: () => retryMs, ended: read(), close: () => controller.abort() };
};
