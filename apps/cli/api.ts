import type { z } from 'zod';
import type { Operation } from '#contracts/http/operation';
import { ProblemBody } from '#contracts/http/problem';
import { Unreachable } from './exit.js';

type Given<O, K extends 'params' | 'query' | 'body'> =
  O extends Record<K, infer S extends z.ZodType> ? z.input<S> : undefined;
/** What an operation takes, before its schemas fill in what was left out. */
export interface Asked<O> {
  params?: Given<O, 'params'>;
  query?: Given<O, 'query'>;
  body?: Given<O, 'body'>;
  idempotencyKey?: string;
}
/** What an operation answers; null where it answers no body. Fields of later versions may be there, too. */
export type AnswerOf<O extends Operation> = O['answer'] extends { body: infer S extends z.ZodType }
  ? z.output<S>
  : null;

/** The API refused, and said why: RFC 9457. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  constructor(
    readonly problem: ProblemBody,
    /** Seconds to wait, where the API named them. */
    readonly retryAfter: number | null,
  ) {
    super(problem.detail);
  }
}

export interface ApiOptions {
  url: string;
  key: string;
  timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;
const SERVER_ERROR = 500;
const NOT_CONFIGURED = 501;

/** The HTTP API, typed by the table of operations. */
export class Api {
  constructor(private readonly options: ApiOptions) {}

  get url(): string {
    return this.options.url;
  }

  /** @throws ApiProblem, Unreachable */
  async call<O extends Operation>(operation: O, asked: Asked<O> = {}): Promise<AnswerOf<O>> {
    const { body, idempotencyKey } = asked;
    const response = await this.fetch(pathOf(operation, asked), {
      method: operation.method,
      headers: {
        authorization: `Bearer ${this.options.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw this.refusal(response, text);
    return (text === '' ? null : this.json(text, response.status)) as AnswerOf<O>;
  }

  /** Text of what needs no key, such as /metrics. @throws Unreachable */
  async text(path: string): Promise<string> {
    const response = await this.fetch(path, {});
    if (!response.ok) throw new Unreachable(`${this.url}${path} answered ${response.status}`);
    return response.text();
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    const { url, timeoutMs = TIMEOUT_MS } = this.options;
    try {
      return await fetch(`${url}${path}`, { ...init, signal: AbortSignal.timeout(timeoutMs), redirect: 'error' });
    } catch (error) {
      throw new Unreachable(`cannot reach the API at ${url}: ${reasonOf(error)}`);
    }
  }

  private refusal(response: Response, text: string): Error {
    const parsed = ProblemBody.safeParse(this.json(text, response.status));
    if (!parsed.success) return new Unreachable(`${this.url} answered ${response.status}, and not as Carillon does`);
    if (response.status >= SERVER_ERROR && response.status !== NOT_CONFIGURED)
      return new Unreachable(`the API cannot answer: ${parsed.data.title} (${response.status}): ${parsed.data.detail}`);
    const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
    return new ApiProblem(parsed.data, Number.isFinite(retryAfter) ? retryAfter : null);
  }

  private json(text: string, status: number): unknown {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw new Unreachable(`${this.url} answered ${status}, and not as Carillon does`);
    }
  }
}

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
};

const pathOf = (operation: Operation, { params, query }: { params?: unknown; query?: unknown }): string => {
  const values = (params ?? {}) as Readonly<Record<string, string>>;
  const path = operation.path.replaceAll(/:([A-Za-z]+)/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>))
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value])
      if (typeof one === 'string') search.append(name, one);
  return search.size === 0 ? path : `${path}?${search.toString()}`;
};
