import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http';

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  /** Without the query. */
  path: string;
  /** What follows the route's path, decoded by nobody; empty for an exact match. */
  rest: string;
  /** Without the question mark. */
  query: string;
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Exact, or all below it if it ends in a slash and is not the root. */
  path: string;
  handle: (exchange: Exchange) => void | Promise<void>;
}

/** Answered as `{error, ...}` with its status. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly status: number,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

const MAX_BODY = 1024 * 1024;

/** @throws Refusal 413 over 1 MiB; rejects too when the client goes away */
export const readBody = (request: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BODY) reject(new Refusal(413, 'body is over 1 MiB'));
      else chunks.push(chunk);
    });
    request.on('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    request.on('error', reject);
  });

/** The body as JSON, or undefined where it is not. */
export const parseJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
};

export const answer = (
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers?: OutgoingHttpHeaders,
): void => {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
};

export const answerJson = (
  response: ServerResponse,
  status: number,
  value: unknown,
  headers?: OutgoingHttpHeaders,
): void => answer(response, status, 'application/json; charset=utf-8', JSON.stringify(value), headers);

/** One listener over all routes: 404 where none has the path, 405 where none has the method. */
export const route =
  (routes: readonly Route[]): RequestListener =>
  (request, response) => {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark === -1 ? url : url.slice(0, mark);
    const query = mark === -1 ? '' : url.slice(mark + 1);
    let known = false;
    for (const { method, path: own, handle } of routes) {
      const below = own.length > 1 && own.endsWith('/');
      if (below ? !path.startsWith(own) : path !== own) continue;
      known = true;
      if (method !== request.method) continue;
      const exchange = { request, response, path, rest: below ? path.slice(own.length) : '', query };
      // A handler may be plain or async; either way its error becomes an answer.
      new Promise<void>((resolve) => resolve(handle(exchange))).catch((error: unknown) => refuse(response, error));
      return;
    }
    refuse(response, known ? new Refusal(405, 'method not allowed') : new Refusal(404, 'no such path'));
  };

const refuse = (response: ServerResponse, error: unknown): void => {
  if (response.headersSent || response.destroyed) {
    response.destroy();
  } else if (error instanceof Refusal) {
    // The rest of a body that nobody reads would be taken for the next request.
    answerJson(response, error.status, { error: error.message, ...error.details }, { connection: 'close' });
  } else {
    answerJson(
      response,
      500,
      { error: error instanceof Error ? error.message : 'unexpected' },
      { connection: 'close' },
    );
  }
};
