import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { lastValueFrom, type Observable, of } from 'rxjs';
import { fingerprint, idempotencyScope } from '#acceptance/fingerprint';
import type { Operation, OperationId } from '#contracts/http/operations';
import { IdempotencyKeyInUse, IdempotencyKeyReused } from '#domain/errors';
import { seal, unseal } from '#sealing/seal';
import { type ApiParts, PARTS } from '../tokens.js';
import { type ApiCall, callOf } from './call.js';
import { presentedKey } from './presented-key.js';

/** Their answers hold a secret: kept only sealed, with the key that the caller presented and that is stored nowhere. */
const SECRET_ANSWERS: ReadonlySet<string> = new Set<OperationId>(['createKey', 'rotateKey', 'createInboxToken']);

const KEPT = 'carillon kept answer';

const scopeOf = (operation: Operation, call: ApiCall, key: string): string => {
  const params = (call.params ?? {}) as Record<string, string>;
  // A sealed answer can only be opened by the key that asked for it.
  const actor = SECRET_ANSWERS.has(operation.id) ? [call.caller.actor] : [];
  const named = JSON.stringify([operation.id, ...Object.values(params), ...actor]);
  return idempotencyScope(call.caller.owner, params['serviceName'] ?? null, named, key);
};

/** Keeps the answers of operations that make nothing with an idempotency record of its own, and repeats them. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'idempotency' | 'log'>) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const call = callOf(context);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (call.idempotencyKey === null || request.operation === null) return next.handle();
    const { operation } = request;
    const scope = scopeOf(operation, call, call.idempotencyKey);
    const begun = await this.parts.idempotency.begin(scope, fingerprint(call.raw));
    const secret = SECRET_ANSWERS.has(operation.id) ? presentedKey(request.headers) : null;
    switch (begun.kind) {
      case 'in_use':
        throw new IdempotencyKeyInUse();
      case 'reused':
        throw new IdempotencyKeyReused();
      case 'replay':
        call.replayed();
        return of(secret === null ? begun.body : unseal(begun.body, secret, KEPT));
      case 'begun': {
        const answer = await this.run(scope, next);
        await this.keep(scope, operation.answer.status, secret === null ? answer : seal(answer, secret, KEPT));
        return of(answer);
      }
    }
  }

  private async run(scope: string, next: CallHandler): Promise<unknown> {
    try {
      return (await lastValueFrom(next.handle(), { defaultValue: undefined })) as unknown;
    } catch (error) {
      // What cannot be freed frees itself in a minute.
      await this.parts.idempotency.release(scope).catch(() => undefined);
      throw error;
    }
  }

  /** What was asked for is done: an answer that cannot be kept is still the answer. */
  private async keep(scope: string, status: number, body: unknown): Promise<void> {
    await this.parts.idempotency
      .complete(scope, status, body)
      .catch((error: unknown) =>
        this.parts.log.warn({ err: error }, 'the answer of a repeatable request was not kept'),
      );
  }
}
