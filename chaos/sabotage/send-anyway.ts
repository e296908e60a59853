import { FailoverSender } from '#channels/providers/failover';

/** What may have arrived and is to arrive at most once is handed to the next provider all the same. */
const send = Object.getOwnPropertyDescriptor(FailoverSender.prototype, 'send')?.value as FailoverSender['send'];

FailoverSender.prototype.send = function (this: FailoverSender, batch, signal) {
  return send.call(
    this,
    batch.map((request) => ({ ...request, atMostOnce: false })),
    signal,
  );
};
