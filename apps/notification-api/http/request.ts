import type { Operation } from '#contracts/http/operations';
import type { InboxPass } from '#inbox/tokens';
import type { Caller } from '#domain/caller';
import type { ApiCall } from './call.js';

/** What is known of a request on its way; each is null until it is. */
declare module 'fastify' {
  interface FastifyRequest {
    operation: Operation | null;
    caller: Caller | null;
    /** Of a user who reads their inbox. */
    pass: InboxPass | null;
    call: ApiCall | null;
    /** Id of what the request is about, for its log line. */
    subject: string | null;
    /** W3C traceparent of what the request is about, for its log line. */
    trace: string | null;
  }
  interface FastifyContextConfig {
    operation?: Operation;
  }
}

export const REQUEST_MEMBERS = ['operation', 'caller', 'pass', 'call', 'subject', 'trace'] as const;
