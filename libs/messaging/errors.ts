import { RpcException } from '@nestjs/microservices';
import type { RefusedMessage } from '#contracts/messages';

/** Why a message can never be handled: what goes to the dead letters with it. Errors never echo a value. */
export interface Refusal {
  code: string;
  errors: RefusedMessage['errors'];
}

/** RpcExceptions, because Nest's last filter hides every other error from the transport. */
abstract class Steering extends RpcException {
  override getError(): this {
    return this;
  }
}

/**
 * Thrown by a handler or filter: this message is to go to the dead letters, with the reason. It is acknowledged once
 * the broker has confirmed that they have it.
 */
export class RefuseMessage extends Steering {
  override readonly name = 'RefuseMessage';
  constructor(readonly refusal: Refusal) {
    super(`refused: ${refusal.code}`);
  }
}

/**
 * Thrown by a handler or filter: something that it depends on is down, and the messages are not to blame. They stay in
 * hand and are tried again, with backoff and without end, and their delivery count does not rise.
 */
export class TryAgainLater extends Steering {
  override readonly name = 'TryAgainLater';
  constructor(reason: string) {
    super(reason);
  }
}
