import type { z } from 'zod';
import type { ProblemCode } from '../problems.js';
import type { Scope } from '../vocabulary.js';

/**
 * One HTTP call: everything that routes it, guards it, validates it and documents it. Controllers name an operation and
 * nothing else; start-up fails when one has no handler, or two.
 */
export interface Operation {
  id: string;
  tag: string;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  summary: string;
  /** One of these is needed; none where a reader asks, or where the call is `signed`. */
  scopes: readonly Scope[];
  /** Called by a provider, which has no API key: its handler checks what proves who it is. */
  signed?: true;
  /** Asked by a user with an inbox token, instead of a service with a key. */
  reader?: true;
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
  /** Whether an absent body is taken as `{}`. */
  bodyOptional?: boolean;
  /** Whether the body is a form (application/x-www-form-urlencoded), not JSON. */
  form?: true;
  /** Octets; 1 MiB where nothing is said. */
  bodyLimit?: number;
  /** Takes an `Idempotency-Key`: every POST does. */
  answer: {
    status: 200 | 201 | 202 | 204;
    body?: z.ZodType;
    /** Server-sent events, without end. */
    stream?: true;
    description: string;
  };
  /** Beyond those that any call may answer (400, 401, 403, 429, 500, 503). */
  problems: readonly ProblemCode[];
}

/** An answer without a body. */
export const noContent = { status: 204, description: 'Done.' } as const;
/** Problems of whatever takes a body and makes something. */
export const created = ['validation_failed', 'idempotency_key_in_use', 'idempotency_key_reused'] as const;
