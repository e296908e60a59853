import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';
import { Conflict, DomainError, IdempotencyKeyInUse, Unavailable } from '#domain/errors';
import { RefuseMessage, TryAgainLater } from '#messaging/errors';

/** Maps domain errors to what becomes of the message: what a store's silence caused is tried again, the rest is refused. */
@Catch(DomainError)
export class OutcomeFilter implements ExceptionFilter<DomainError> {
  catch(error: DomainError, _host: ArgumentsHost): Observable<never> {
    const again = error instanceof Unavailable || error instanceof Conflict || error instanceof IdempotencyKeyInUse;
    return throwError(() =>
      again
        ? new TryAgainLater(error.message)
        : new RefuseMessage({
            code: error.code,
            errors: [{ in: 'body', field: '', code: error.code, message: error.message }],
          }),
    );
  }
}
