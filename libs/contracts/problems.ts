/**
 * Codes of every problem that the API answers (RFC 9457), with the status and title each one carries.
 * Clients branch on the code: only add.
 */
export const PROBLEMS = {
  malformed_json: { status: 400, title: 'The body is not readable JSON' },
  invalid_header: { status: 400, title: 'A header is invalid' },
  invalid_query: { status: 400, title: 'A query parameter is invalid' },
  invalid_cursor: { status: 400, title: 'The cursor is invalid' },
  unauthorized: { status: 401, title: 'A valid API key is required' },
  invalid_token: { status: 401, title: 'A valid inbox token is required' },
  token_expired: { status: 401, title: 'The inbox token has expired' },
  insufficient_scope: { status: 403, title: 'The key lacks a scope' },
  invalid_signature: { status: 403, title: 'The request is not signed as it must be' },
  service_not_allowed: { status: 403, title: 'The key may not use this service' },
  origin_not_allowed: { status: 403, title: 'The page that asks may not do this' },
  approver_is_author: { status: 403, title: 'Someone else has to approve this' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  invalid_transition: { status: 409, title: 'Not possible in the present state' },
  idempotency_key_in_use: { status: 409, title: 'A request with this Idempotency-Key is in progress' },
  conflict: { status: 409, title: 'Changed by someone else meanwhile' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  validation_failed: { status: 422, title: 'Some fields are invalid' },
  no_target: { status: 422, title: 'The recipient has no target on this channel' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used with another body' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal_error: { status: 500, title: 'Something went wrong here' },
  not_configured: { status: 501, title: 'Not configured on this installation' },
  unavailable: { status: 503, title: 'Not available right now' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** `type` of a problem: a path on this API, the code with hyphens. */
export const problemType = (code: ProblemCode): string => `/problems/${code.replaceAll('_', '-')}`;

/** One refused field: where it stands, what is wrong, never its value. `field` is a JSON Pointer (RFC 6901) in a body, else the plain name. */
export interface FieldError {
  in: 'body' | 'query' | 'path' | 'header';
  field: string;
  code: string;
  message: string;
}
