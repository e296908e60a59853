import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { Histogram } from 'prom-client';
import type { Operation } from '#contracts/http/operations';
import type { Caller } from '#domain/caller';
import { InsufficientScope, NotFound, Unauthorized } from '#domain/errors';
import { traceIdOf } from '#domain/traceparent';
import type { ApiParts } from '../tokens.js';
import { readBodies } from './json-body.js';
import { admitReader } from './inbox-pass.js';
import { presentedKey } from './presented-key.js';
import { MethodNotAllowed } from './problem.js';
import { REQUEST_MEMBERS } from './request.js';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** The caller's X-Request-Id if it is a sound one, else one of ours. */
export const requestIdOf = (request: Pick<IncomingMessage, 'headers'>): string => {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
};

type GateParts = Pick<ApiParts, 'keys' | 'inbox' | 'log' | 'registry'>;
type Done = (error?: Error) => void;

/** Whoever signs what it posts: may do nothing else. */
const PROVIDER: Caller = { actor: 'provider', owner: 'provider', scopes: new Set(), services: new Set() };

/** Lets nobody in without a key that has a scope of the operation, but for what is signed. Runs before the body is read. */
const gateOf =
  (operation: Operation, { keys, inbox }: GateParts, origins: ReadonlySet<string>) =>
  (request: FastifyRequest, _reply: FastifyReply, done: Done): void => {
    request.operation = operation;
    if (operation.signed === true) {
      request.caller = PROVIDER;
      return done();
    }
    if (operation.reader === true) {
      admitReader(request, inbox, origins).then(() => done(), done);
      return;
    }
    const presented = presentedKey(request.headers);
    if (presented === null) return done(new Unauthorized());
    keys.authenticate(presented).then(
      (caller) => {
        request.caller = caller;
        if (operation.scopes.some((scope) => caller.scopes.has(scope))) done();
        else done(new InsufficientScope(operation.scopes));
      },
      (error: unknown) => done(error instanceof Error ? error : new Unauthorized()),
    );
  };

/** Which methods each path knows, for those who ask with another. */
class Routes {
  private readonly known: { path: RegExp; method: string }[] = [];

  add({ method, url }: Pick<RouteOptions, 'method' | 'url'>): void {
    // The one route for preflights of CORS, which is no path of its own.
    if (url === '*') return;
    const path = new RegExp(`^${url.replaceAll(/:[A-Za-z]+/g, '[^/]+')}$`);
    for (const one of [method].flat()) this.known.push({ path, method: one });
  }

  methodsOf(url: string): string[] {
    const path = url.split('?', 1)[0] ?? '/';
    return [...new Set(this.known.filter((route) => route.path.test(path)).map((route) => route.method))].sort();
  }
}

/** One line for each request but those of probes, and one figure for each that an operation took. */
const observe = (fastify: FastifyInstance, { log, registry }: Pick<ApiParts, 'log' | 'registry'>): void => {
  const seconds = new Histogram({
    name: 'carillon_http_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['operation', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const { operation } = request;
    if (operation !== null || request.is404) {
      const ms = reply.elapsedTime;
      if (operation !== null) seconds.observe({ operation: operation.id, status: reply.statusCode }, ms / 1000);
      const traceparent = request.trace ?? request.call?.traceparent;
      log.info(
        {
          requestId: request.id,
          operation: operation?.id,
          method: request.method,
          route: operation?.path,
          status: reply.statusCode,
          durationMs: Math.round(ms * 10) / 10,
          actor: request.caller?.actor,
          [operation?.tag === 'notifications' ? 'notificationId' : 'subject']: request.subject ?? undefined,
          traceId: traceparent == null ? undefined : traceIdOf(traceparent),
        },
        'request',
      );
    }
    done();
  });
};

/**
 * Everything that happens to a request before and after Nest: ids, keys, scopes, sizes, unknown routes, the log.
 * @param origins whose pages may use the cookie of the inbox
 */
export const installGate = (fastify: FastifyInstance, parts: GateParts, origins: readonly string[]): void => {
  for (const member of REQUEST_MEMBERS) fastify.decorateRequest(member, null);
  readBodies(fastify);
  const routes = new Routes();
  fastify.addHook('onRoute', (route) => {
    routes.add(route);
    const operation = route.config?.operation;
    if (operation === undefined) return;
    if (operation.bodyLimit !== undefined) route.bodyLimit = operation.bodyLimit;
    route.onRequest = gateOf(operation, parts, new Set(origins));
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    void reply.header('x-request-id', request.id);
    done(null, payload);
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!request.is404) return done();
    const allowed = routes.methodsOf(request.url);
    return done(allowed.length > 0 ? new MethodNotAllowed(allowed) : new NotFound('resource'));
  });
  observe(fastify, parts);
};
