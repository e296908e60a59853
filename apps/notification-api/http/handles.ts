import type { Readable } from 'node:stream';
import { applyDecorators, HttpCode, RequestMapping, RequestMethod, type Type, UseInterceptors } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { z } from 'zod';
import { type Operation, type OperationId, OPERATIONS } from '#contracts/http/operations';
import { Call, type CallOf } from './call.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';

type AnswerOf<O extends Operation> = O['answer'] extends { body: infer S extends z.ZodType }
  ? z.output<S>
  : O['answer'] extends { stream: true }
    ? Readable
    : void;

const OPERATION = Symbol('operation');

/** What these make is itself the record of their Idempotency-Key. */
const OWN_RECORD: ReadonlySet<string> = new Set<OperationId>(['createNotification', 'createBulk', 'createGroup']);

/**
 * Makes a method the one handler of an operation: its route, status, checks, and the checked request as its only
 * argument. What it takes and answers has to fit the operation.
 */
export const Handles =
  <O extends Operation>(operation: O) =>
  <T extends (call: CallOf<O>) => Promise<AnswerOf<O>>>(
    target: object,
    key: string,
    descriptor: TypedPropertyDescriptor<T>,
  ): void => {
    Call()(target, key, 0);
    const keepsRecord = operation.method === 'POST' && !OWN_RECORD.has(operation.id) && operation.signed !== true;
    applyDecorators(
      RequestMapping({ method: RequestMethod[operation.method], path: operation.path }),
      HttpCode(operation.answer.status),
      RouteConfig({ operation }),
      ...(keepsRecord ? [UseInterceptors(IdempotencyInterceptor)] : []),
    )(target, key, descriptor);
    Reflect.defineMetadata(OPERATION, operation.id, target, key);
  };

/** Operations without a handler, or with several. */
export class IncompleteApi extends Error {
  override readonly name = 'IncompleteApi';
}

const handledBy = (controller: Type): string[] =>
  Object.getOwnPropertyNames(controller.prototype)
    .map((key) => Reflect.getMetadata(OPERATION, controller.prototype as object, key) as string | undefined)
    .filter((id) => id !== undefined);

/**
 * Every operation has exactly one handler.
 * @throws IncompleteApi naming those that have none or several
 */
export const requireComplete = (
  controllers: readonly Type[],
  operations: readonly string[] = Object.keys(OPERATIONS),
): void => {
  const handled = controllers.flatMap(handledBy);
  const wrong = operations
    .map((id) => ({ id, count: handled.filter((one) => one === id).length }))
    .filter(({ count }) => count !== 1)
    .map(({ id, count }) => `${id} has ${count === 0 ? 'no handler' : `${count} handlers`}`);
  if (wrong.length > 0) throw new IncompleteApi(`the API is incomplete: ${wrong.join(', ')}`);
};
