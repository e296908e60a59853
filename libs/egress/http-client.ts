import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher, type buildConnector } from 'undici';
import { AddressNotAllowed } from './connector.js';
import { isTlsFailure, isUnreachable } from './network-errors.js';

export interface HttpRequest {
  headers: Record<string, string>;
  body: string;
  /** For the whole of it: waiting for a connection, connecting, sending, the answer's head. */
  timeoutMs: number;
  signal: AbortSignal;
  /** Keep the answer's body, of so many bytes at the most. */
  keepBytes?: number;
}

/** What became of a request: once the head of an answer is there it is answered, whatever becomes of the body. */
export type HttpResult =
  | {
      kind: 'answered';
      status: number;
      headers: IncomingHttpHeaders;
      /** As far as it came; empty unless it was to be kept. */
      body: string;
      /** Why the body ended too early; null when it is whole. */
      cut: HttpFailureReason | null;
    }
  | {
      kind: 'failed';
      reason: HttpFailureReason;
      /** At least the first byte may have reached the other side. */
      written: boolean;
    };

export type HttpAnswer = Extract<HttpResult, { kind: 'answered' }>;

/** - `unreachable`: no such name, refused, or no route
 *  - `tls`: connected, but not to whom the certificate says
 *  - `broken`: the connection ended, or what came is not HTTP */
export type HttpFailureReason = 'address_not_allowed' | 'unreachable' | 'tls' | 'timeout' | 'aborted' | 'broken';

/** Reading on keeps the connection for the next request; a receiver that says more than this loses it. */
const MAX_RESPONSE_BYTES = 64 * 1024;

/** By shape, not by class: of several addresses that were tried, the first tells. */
const codeOf = (error: Error): string => {
  const [one = error] = 'errors' in error && Array.isArray(error.errors) ? (error.errors as Error[]) : [error];
  return 'code' in one && typeof one.code === 'string' ? one.code : '';
};

const reasonOf = (error: Error): HttpFailureReason => {
  if (error instanceof AddressNotAllowed) return 'address_not_allowed';
  const code = codeOf(error);
  if (isUnreachable(code) || code === 'UND_ERR_CONNECT_TIMEOUT') return 'unreachable';
  return isTlsFailure(code) ? 'tls' : 'broken';
};

/** One request on its way. Settles once; what comes later is dropped. */
class Exchange implements Dispatcher.DispatchHandler {
  private settled = false;
  private controller: Dispatcher.DispatchController | null = null;
  private head: Pick<HttpAnswer, 'status' | 'headers'> | null = null;
  private received = 0;
  private readonly chunks: Buffer[] = [];
  private readonly timer: NodeJS.Timeout;
  private readonly abort = (): void => this.giveUp('aborted');

  constructor(
    private readonly request: HttpRequest,
    private readonly resolve: (result: HttpResult) => void,
  ) {
    this.timer = setTimeout(() => this.giveUp('timeout'), request.timeoutMs);
    if (request.signal.aborted) this.giveUp('aborted');
    else request.signal.addEventListener('abort', this.abort);
  }

  /** The head of the request is written right after this. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Given up while it waited for a connection: it must not go out any more.
    if (this.settled) controller.abort(new Error('given up'));
    else this.controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status >= 200) this.head = { status, headers };
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { keepBytes } = this.request;
    this.received += chunk.length;
    if (this.received > (keepBytes ?? MAX_RESPONSE_BYTES)) controller.abort(new Error('the answer is too long'));
    else if (keepBytes !== undefined) this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.end(this.head === null ? 'broken' : null);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.end(reasonOf(error));
  }

  private giveUp(reason: 'timeout' | 'aborted'): void {
    this.end(reason);
    this.controller?.abort(new Error('given up'));
  }

  /** @param reason null when all of the answer is there */
  private end(reason: HttpFailureReason | null): void {
    const { head } = this;
    if (head !== null)
      this.settle({ kind: 'answered', ...head, body: Buffer.concat(this.chunks).toString(), cut: reason });
    else this.settle({ kind: 'failed', reason: reason ?? 'broken', written: this.controller !== null });
  }

  private settle(result: HttpResult): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.timer);
    this.request.signal.removeEventListener('abort', this.abort);
    this.resolve(result);
  }
}

/**
 * POSTs over kept connections. Follows no redirect, knows no proxy (neither do the variables HTTP_PROXY and the like
 * matter), never repeats a request.
 */
export class HttpClient {
  private readonly agent: Agent;

  /** @param connectionsPerOrigin at most so many at once to one scheme, host and port */
  constructor(connect: buildConnector.connector, connectionsPerOrigin: number) {
    this.agent = new Agent({
      connect,
      connections: connectionsPerOrigin,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Never rejects. */
  post(url: URL, request: HttpRequest): Promise<HttpResult> {
    return new Promise((resolve) => {
      this.agent.dispatch(
        {
          origin: url.origin,
          path: url.pathname + url.search,
          method: 'POST',
          headers: request.headers,
          body: request.body,
        },
        new Exchange(request, resolve),
      );
    });
  }

  /** Cuts what is still on its way. */
  close(): Promise<void> {
    return this.agent.destroy();
  }
}
