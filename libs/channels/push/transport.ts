import { AsyncLocalStorage } from 'node:async_hooks';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent } from 'node:https';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** What one HTTP request of a batch came to, as firebase-admin does not tell. */
export interface Trace {
  /** At least the first byte may have reached the other side. */
  written: boolean;
  /** Of an answer that came whole. */
  status: number | null;
  retryAfter: string | undefined;
  /** Code of the error that ended it, such as ECONNREFUSED. */
  errorCode: string | null;
}

/** The requests that one call of `sendEach` makes: one for each message, in their order. */
class Batch {
  readonly traces: Trace[];
  private readonly open = new Set<ClientRequest>();
  private started = 0;
  private over = false;

  constructor(size: number) {
    this.traces = Array.from({ length: size }, () => ({
      written: false,
      status: null,
      retryAfter: undefined,
      errorCode: null,
    }));
  }

  /** False if it must not be sent any more. */
  admit(request: ClientRequest): boolean {
    const trace = this.traces[this.started++];
    if (this.over || trace === undefined) {
      // After the constructor of the request returned, and its maker listens.
      process.nextTick(() => giveUp(request));
      return false;
    }
    this.open.add(request);
    request.once('close', () => this.open.delete(request));
    watch(request, trace);
    return true;
  }

  end(): void {
    this.over = true;
    for (const request of this.open) giveUp(request);
  }
}

/** Sockets that requests are written to as soon as they have them, and the event by which others become so. */
const CONNECTED = new WeakSet<Socket>();
const READY = 'carillon:ready';

const GIVEN_UP = 'FCM_GIVEN_UP';

const giveUp = (request: ClientRequest): void => {
  const error = Object.assign(new Error('given up'), { code: GIVEN_UP });
  request.destroy(error);
  // One that still waits for a connection would keep its maker waiting, too.
  if (request.socket === null) request.emit('error', error);
};

/**
 * Follows one request. firebase-admin would send again by itself after a 503, a timeout or a reset, although the first
 * may well have been delivered; whether and when to repeat is decided elsewhere, so these are made to look final.
 */
const watch = (request: ClientRequest, trace: Trace): void => {
  const written = (): void => void (trace.written = true);
  request.once('socket', (socket: Socket) => {
    if (CONNECTED.has(socket)) written();
    else socket.once(READY, written);
  });
  const failed = (error: NodeJS.ErrnoException): void => {
    trace.errorCode ??= error.code ?? null;
    error.code = 'FCM_FAILED';
  };
  request.prependListener('error', failed);
  request.prependListener('response', (response: IncomingMessage) => {
    const status = response.statusCode ?? 0;
    trace.retryAfter = response.headers['retry-after'];
    if (status === 503) response.statusCode = 500;
    response.prependListener('error', failed);
    response.prependListener('end', () => {
      if (response.complete) trace.status = status;
    });
    // firebase-admin waits forever for the rest of an answer that broke off.
    response.once('close', () => response.complete || response.emit('end'));
  });
};

/** The part of an agent that hands a request its connection; missing from Node's types. */
type AddRequest = (this: Agent, request: ClientRequest, options: object) => void;
const addRequest = (Agent.prototype as unknown as { addRequest: AddRequest }).addRequest;

/**
 * Takes firebase-admin's requests to the endpoint that is set, over kept connections, and says of each what became of
 * it. An https agent whatever the endpoint speaks, for firebase-admin's URLs are https.
 */
export class FcmTransport extends Agent {
  private readonly batches = new AsyncLocalStorage<Batch>();
  private readonly basePath: string;

  constructor(
    private readonly endpoint: URL,
    sockets: number,
  ) {
    super({ keepAlive: true, maxSockets: sockets, maxFreeSockets: sockets, scheduling: 'lifo' });
    this.basePath = endpoint.pathname.replace(/\/$/, '');
  }

  /**
   * Runs `send`, which makes one request for each of `size` messages. Ends with its result, or with null once `signal`
   * aborted and what is not done by then was cut.
   */
  async follow<T>(
    size: number,
    signal: AbortSignal,
    send: () => Promise<T>,
  ): Promise<{ result: T | null; traces: readonly Trace[] }> {
    const batch = new Batch(size);
    const cut = Promise.withResolvers<null>();
    const onAbort = (): void => {
      batch.end();
      // What was cut settles first, so that what had an answer keeps it.
      setImmediate(() => cut.resolve(null));
    };
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    try {
      const result = await Promise.race([this.batches.run(batch, send), cut.promise]);
      return { result, traces: batch.traces };
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  addRequest(request: ClientRequest, options: object): void {
    if (this.batches.getStore()?.admit(request) === false) return;
    request.setHeader('host', this.endpoint.host);
    request.path = this.basePath + request.path;
    addRequest.call(this, request, options);
  }

  override createConnection(): Socket {
    const { protocol, port } = this.endpoint;
    const host = this.endpoint.hostname.replace(/^\[(.*)\]$/, '$1');
    const plain = protocol === 'http:';
    const socket = plain
      ? connectTcp({ host, port: Number(port || 80) })
      : connectTls({ host, port: Number(port || 443), ...(isIP(host) === 0 && { servername: host }) });
    socket.once(plain ? 'connect' : 'secureConnect', () => {
      CONNECTED.add(socket);
      socket.emit(READY);
    });
    return socket.setNoDelay(true);
  }
}
