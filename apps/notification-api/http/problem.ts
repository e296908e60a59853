import { HttpException } from '@nestjs/common';
import type { ProblemBody } from '#contracts/http/problem';
import { type ProblemCode, PROBLEMS, problemType } from '#contracts/problems';
import { DomainError, InvalidCursor, InvalidTransition, NotFound, RateLimited, ValidationFailed } from '#domain/errors';
import { MalformedJson } from './json-body.js';

export class MethodNotAllowed extends DomainError {
  readonly code = 'method_not_allowed';
  constructor(readonly allow: readonly string[]) {
    super('this path knows other methods: see the header Allow');
  }
}

/** What the HTTP layer itself refuses. */
class Refused extends DomainError {
  constructor(
    readonly code: ProblemCode,
    message: string,
  ) {
    super(message);
  }
}

/** What Fastify refuses, by the status it would answer. */
const refusalOf = (status: number): DomainError | null => {
  switch (status) {
    case 400:
      return new MalformedJson();
    case 404:
    case 414:
      return new NotFound('resource');
    case 413:
      return new Refused('payload_too_large', 'the body is larger than this call takes');
    case 415:
      return new Refused('unsupported_media_type', 'send the body as application/json');
    case 503:
      return new Refused('unavailable', 'this process is about to stop; repeat the request');
    default:
      return null;
  }
};

const statusOf = (error: unknown): number => {
  if (error instanceof HttpException) return error.getStatus();
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : 500;
};

/** Null for what nobody expected. */
export const asRefusal = (error: unknown): DomainError | null =>
  error instanceof DomainError ? error : refusalOf(statusOf(error));

export interface ProblemAnswer {
  status: number;
  headers: Record<string, string>;
  body: ProblemBody;
}

const CURSOR_ERROR = {
  in: 'query',
  field: 'cursor',
  code: 'invalid_cursor',
  message: 'is not one for this list',
} as const;

/** What some refusals say beyond code and detail. */
const details = (error: DomainError): Partial<ProblemBody> => ({
  ...ownDetails(error),
  ...(error.guard === null ? {} : { guard: error.guard }),
});

const ownDetails = (error: DomainError): Partial<ProblemBody> => {
  if (error instanceof ValidationFailed) return { errors: error.errors.map((one) => ({ ...one })) };
  if (error instanceof InvalidCursor) return { errors: [CURSOR_ERROR] };
  if (error instanceof InvalidTransition)
    return { ...(error.state === null ? {} : { state: error.state }), allowed: [...error.allowed] };
  return error instanceof RateLimited ? { scope: error.scope } : {};
};

const headersOf = (error: DomainError): Record<string, string> => {
  if (error instanceof MethodNotAllowed) return { allow: error.allow.join(', ') };
  if (error.code === 'unauthorized') return { 'www-authenticate': 'Bearer' };
  // RFC 6750, section 3.1: an expired token is an invalid one there.
  if (error.code === 'invalid_token' || error.code === 'token_expired')
    return { 'www-authenticate': 'Bearer error="invalid_token"' };
  const seconds = 'retryAfterSeconds' in error ? error.retryAfterSeconds : undefined;
  return typeof seconds === 'number' ? { 'retry-after': String(seconds) } : {};
};

/** A refusal, or (null) an error of ours, as an answer of RFC 9457. @param url of the request */
export const problemAnswer = (error: DomainError | null, url: string, requestId: string): ProblemAnswer => {
  const code: ProblemCode = error?.code ?? 'internal_error';
  const { status, title } = PROBLEMS[code];
  return {
    status,
    headers: error === null ? {} : headersOf(error),
    body: {
      type: problemType(code),
      title,
      status,
      code,
      detail: error?.message ?? 'the request was not carried out for a reason that lies here; it is logged',
      instance: url.split('?', 1)[0] ?? '/',
      requestId,
      ...(error === null ? {} : details(error)),
    },
  };
};
