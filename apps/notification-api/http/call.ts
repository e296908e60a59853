import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { fieldErrors } from '#acceptance/field-errors';
import type { Operation } from '#contracts/http/operations';
import { IdempotencyKey } from '#contracts/http/primitives';
import type { FieldError, ProblemCode } from '#contracts/problems';
import type { Caller } from '#domain/caller';
import { InvalidToken, NotFound, Unauthorized, ValidationFailed } from '#domain/errors';
import { asTraceparent } from '#domain/traceparent';
import type { InboxPass } from '#inbox/tokens';

type Parsed<O, K extends 'params' | 'query' | 'body'> =
  O extends Record<K, infer S extends z.ZodType> ? z.output<S> : undefined;

/** A request that passed every check: what its operation's schemas made of it. */
export class ApiCall<P = unknown, Q = unknown, B = unknown> {
  constructor(
    readonly caller: Caller,
    readonly params: P,
    readonly query: Q,
    readonly body: B,
    /** The body as it was sent. */
    readonly raw: unknown,
    readonly idempotencyKey: string | null,
    readonly traceparent: string | null,
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
  ) {}

  /** Path and query, as they were called. */
  get url(): string {
    return this.request.url;
  }

  /** @param name in lower case */
  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** Who reads, and until when. @throws InvalidToken for an operation that no reader asks */
  get pass(): InboxPass {
    if (this.request.pass === null) throw new InvalidToken();
    return this.request.pass;
  }

  /** `Last-Event-ID`, as a browser sends it when it opens a stream again. */
  get lastEventId(): string | null {
    const header = this.request.headers['last-event-id'];
    return typeof header === 'string' ? header : null;
  }

  /** Headers of the answer beyond those that every answer has. */
  answerWith(headers: Readonly<Record<string, string>>): void {
    void this.reply.headers(headers);
  }

  /** The answer is one that an earlier request with this Idempotency-Key got. */
  replayed(): void {
    void this.reply.header('idempotent-replayed', 'true');
  }

  /** For the log: the id of what this request made or changed, and the trace that it belongs to. */
  about(id: string, traceparent: string | null = this.traceparent): void {
    this.request.subject = id;
    this.request.trace = traceparent;
  }
}

export type CallOf<O extends Operation> = ApiCall<Parsed<O, 'params'>, Parsed<O, 'query'>, Parsed<O, 'body'>>;

const parse = (schema: z.ZodType, value: unknown, within: FieldError['in'], code: ProblemCode): unknown => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ValidationFailed(fieldErrors(result.error, value, '', within), code);
};

const idempotencyKeyOf = (header: string | string[] | undefined): string | null => {
  if (header === undefined) return null;
  if (IdempotencyKey.safeParse(header).success) return header as string;
  throw new ValidationFailed(
    [
      {
        in: 'header',
        field: 'Idempotency-Key',
        code: 'invalid_format',
        message: 'must be 1 to 255 visible ASCII characters',
      },
    ],
    'invalid_header',
  );
};

const paramsOf = (operation: Operation, request: FastifyRequest): unknown => {
  if (operation.params === undefined) return undefined;
  const result = operation.params.safeParse(request.params);
  // A malformed id is the id of nothing.
  if (!result.success) throw new NotFound('resource');
  return result.data;
};

const validate = (request: FastifyRequest, reply: FastifyReply): ApiCall => {
  const { operation, caller } = request;
  if (operation === null || caller === null) throw new Unauthorized();
  const params = paramsOf(operation, request);
  const key = operation.method === 'POST' ? idempotencyKeyOf(request.headers['idempotency-key']) : null;
  const query =
    operation.query === undefined ? undefined : parse(operation.query, request.query, 'query', 'invalid_query');
  const raw = request.body === undefined && operation.bodyOptional === true ? {} : request.body;
  const body = operation.body === undefined ? undefined : parse(operation.body, raw, 'body', 'validation_failed');
  const traceparent = asTraceparent(request.headers['traceparent']);
  return new ApiCall(caller, params, query, body, raw, key, traceparent, request, reply);
};

/**
 * The checked request: path, headers, query, body, in this order.
 * @throws NotFound for a malformed path; ValidationFailed with `invalid_header`, `invalid_query` or `validation_failed`
 */
export const callOf = (context: ExecutionContext): ApiCall => {
  const http = context.switchToHttp();
  const request = http.getRequest<FastifyRequest>();
  return (request.call ??= validate(request, http.getResponse<FastifyReply>()));
};

/** Hands the checked request to a handler. */
export const Call = createParamDecorator((_data: unknown, context: ExecutionContext) => callOf(context));
