import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import { type Observable, tap } from 'rxjs';
import type { AmqpContext } from '#messaging/context';
import { type DispatcherParts, PARTS } from './tokens.js';

/** Times every handler of messages and counts its failures, by queue. */
@Injectable()
export class MetricsInterceptor implements NestInterceptor {
  constructor(@Inject(PARTS) private readonly parts: DispatcherParts) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { queue } = context.switchToRpc().getContext<AmqpContext>().message;
    const started = performance.now();
    const record = (ok: boolean): void => this.parts.messageMetrics.record(queue, performance.now() - started, ok);
    return next.handle().pipe(tap({ complete: () => record(true), error: () => record(false) }));
  }
}
