import { AsyncLocalStorage } from 'node:async_hooks';
import type { FetchFunction } from '@slack/web-api';
import type { HttpClient, HttpResult } from '#egress/http-client';

/** The one request that a call of Slack's libraries makes, and its result, as they do not tell. */
interface Call {
  signal: AbortSignal;
  result: HttpResult | null;
}

/** What a call came to: either what the library made of it, or what it threw. */
export interface Followed<T> {
  result: HttpResult;
  value: T | null;
  error: unknown;
}

/** Slack's answers repeat the message, at worst with six bytes for each character. */
const MAX_ANSWER_BYTES = 1024 * 1024;

const headersOf = (result: HttpResult & { kind: 'answered' }): Headers => {
  const headers = new Headers();
  for (const [name, value] of Object.entries(result.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
};

/**
 * Takes the requests of Slack's libraries over our own connections. Their time limit begins anew with each try, and
 * they leave the body of some answers unread, which would hold its connection.
 */
export class SlackTransport {
  private readonly calls = new AsyncLocalStorage<Call>();

  constructor(
    private readonly http: HttpClient,
    private readonly timeoutMs: number,
  ) {}

  /** To be handed to the libraries. Only within `follow`. */
  readonly fetch: FetchFunction = async (url, init = {}) => {
    const call = this.calls.getStore();
    if (call === undefined || typeof init.body !== 'string') throw new Error('not a request of follow');
    const { headers = {}, body } = init;
    const { timeoutMs } = this;
    const request = { headers, body, timeoutMs, signal: call.signal, keepBytes: MAX_ANSWER_BYTES };
    const answer = await this.http.post(new URL(url), request);
    // Whether Slack took the message stands in the body alone.
    const isCut = answer.kind === 'answered' && answer.cut !== null;
    const result: HttpResult = isCut ? { kind: 'failed', reason: answer.cut ?? 'broken', written: true } : answer;
    call.result = result;
    if (result.kind === 'failed') throw new Error(result.reason);
    // 204 and the like may have no body, not even an empty one.
    return new Response(result.body === '' ? null : result.body, { status: result.status, headers: headersOf(result) });
  };

  /**
   * Runs `send`, which makes one request.
   * @throws whatever `send` throws before it makes one
   */
  async follow<T>(signal: AbortSignal, send: () => Promise<T>): Promise<Followed<T>> {
    const call: Call = { signal, result: null };
    const [settled] = await Promise.allSettled([this.calls.run(call, send)]);
    if (call.result === null) throw settled.status === 'rejected' ? settled.reason : new Error('no request was made');
    return settled.status === 'fulfilled'
      ? { result: call.result, value: settled.value, error: null }
      : { result: call.result, value: null, error: settled.reason as unknown };
  }
}
