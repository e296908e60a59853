import { BaseRpcContext } from '@nestjs/microservices';
import type { IncomingMessage } from './incoming.js';

/** What `@Ctx()` gives a handler: the message and its properties. */
export class AmqpContext extends BaseRpcContext<[IncomingMessage]> {
  constructor(message: IncomingMessage) {
    super([message]);
  }

  get message(): IncomingMessage {
    return this.args[0];
  }
}
