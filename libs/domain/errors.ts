import type { FieldError, ProblemCode } from '#contracts/problems';
import type { Guard, State } from '#contracts/vocabulary';

/** A refusal that the caller can act on. Knows nothing of HTTP: each app maps it once. */
export abstract class DomainError extends Error {
  abstract readonly code: ProblemCode;
  /** Of a refused action: what did not let it through. */
  guard: Guard | null = null;
  override readonly name = this.constructor.name;
}

/** The same refusal, told as that of a guard. */
export const guardedBy = <E extends DomainError>(guard: Guard, error: E): E => Object.assign(error, { guard });

/** Well-formed but refused, field by field. */
export class ValidationFailed extends DomainError {
  readonly code: ProblemCode;
  constructor(
    readonly errors: readonly FieldError[],
    code: ProblemCode = 'validation_failed',
  ) {
    super(errors.length === 1 ? '1 field is invalid' : `${errors.length} fields are invalid`);
    this.code = code;
  }
}

/** The recipient has nothing registered on this channel. */
export class NoTarget extends DomainError {
  readonly code = 'no_target';
  constructor(channel: string) {
    super(`the recipient has no target for the channel ${channel}: register one, or name it in \`to\``);
  }
}

export class NotFound extends DomainError {
  readonly code = 'not_found';
  constructor(what: string) {
    super(`no such ${what}, or it is in a service that this key may not use`);
  }
}

export class NotInInbox extends DomainError {
  readonly code = 'not_found';
  constructor() {
    super('this inbox has no such item');
  }
}

export class ServiceNotAllowed extends DomainError {
  readonly code = 'service_not_allowed';
  constructor() {
    super('this key may not use the service that the request names');
  }
}

export class InsufficientScope extends DomainError {
  readonly code = 'insufficient_scope';
  constructor(readonly scopes: readonly string[]) {
    super(`this call needs the scope ${scopes.join(' or ')}`);
  }
}

export class Unauthorized extends DomainError {
  readonly code = 'unauthorized';
  constructor() {
    super('send a valid API key as `Authorization: Bearer <key>` or `X-API-Key`');
  }
}

/** Not an inbox token of ours, or of a service that is no more. */
export class InvalidToken extends DomainError {
  readonly code = 'invalid_token';
  constructor() {
    super('send a valid inbox token as `Authorization: Bearer <token>` or in the cookie carillon_inbox');
  }
}

export class TokenExpired extends DomainError {
  readonly code = 'token_expired';
  constructor() {
    super('this inbox token has expired: ask your backend for a new one');
  }
}

/** A cookie came along with a call from a page that may not make it. */
export class OriginNotAllowed extends DomainError {
  readonly code = 'origin_not_allowed';
  constructor() {
    super('with the cookie, this call needs an Origin that is listed in CORS_ORIGINS');
  }
}

/** This installation lacks a setting for what is asked. */
export class NotConfigured extends DomainError {
  readonly code = 'not_configured';
  constructor(what: string, setting: string) {
    super(`${what} is not configured: ${setting} is not set`);
  }
}

/** `allowed` names the actions that are possible in `state`. */
export class InvalidTransition extends DomainError {
  readonly code = 'invalid_transition';
  constructor(
    readonly state: State | null,
    readonly allowed: readonly string[],
    message: string,
  ) {
    super(message);
  }
}

/** A setting demands that drafts of this service are approved by another client than the one that made them. */
export class ApproverIsAuthor extends DomainError {
  readonly code = 'approver_is_author';
  override guard: Guard | null = 'author';
  constructor() {
    super('this draft was made with a key of the same owner: in this service someone else has to approve it');
  }
}

/** Whoever posted this is not the provider that it speaks for. */
export class InvalidSignature extends DomainError {
  readonly code = 'invalid_signature';
  constructor() {
    super('the request does not carry the signature, or the token, that is configured for this provider');
  }
}

/** Changed by someone else while we looked; the caller may repeat. */
export class Conflict extends DomainError {
  readonly code = 'conflict';
  constructor() {
    super('it was changed by someone else meanwhile; look again and repeat');
  }
}

const LIMIT_TEXTS = {
  key: 'this key sends more requests than it may',
  user: 'this recipient has had as many as a minute allows',
  channel: 'this service has sent as many by this channel as its limit allows',
} as const;

export class RateLimited extends DomainError {
  readonly code = 'rate_limited';
  constructor(
    readonly scope: 'key' | 'user' | 'channel',
    readonly retryAfterSeconds: number,
  ) {
    super(LIMIT_TEXTS[scope]);
  }
}

export class IdempotencyKeyReused extends DomainError {
  readonly code = 'idempotency_key_reused';
  constructor() {
    super('this Idempotency-Key was used with other content; use a new key for a new request');
  }
}

export class IdempotencyKeyInUse extends DomainError {
  readonly code = 'idempotency_key_in_use';
  readonly retryAfterSeconds = 1;
  constructor() {
    super('a request with this Idempotency-Key is still in progress; repeat it shortly');
  }
}

export class InvalidCursor extends DomainError {
  readonly code = 'invalid_cursor';
  constructor() {
    super('the cursor is not one that this API gave for these filters');
  }
}

/** A store or another service needed here does not answer. */
export class Unavailable extends DomainError {
  readonly code = 'unavailable';
  readonly retryAfterSeconds = 2;
  constructor(what: string) {
    super(`${what} does not answer right now; nothing was accepted`);
  }
}
