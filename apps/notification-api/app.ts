import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { NotFound } from '#domain/errors';
import { ApiModule } from './api.module.js';
import { installGate, requestIdOf } from './http/gate.js';
import { problemAnswer } from './http/problem.js';
import { PROBLEM_TYPE } from './http/problem.filter.js';
import { leaveWithLastWords } from './http/last-words.js';
import type { ApiSettings } from './settings.js';
import type { ApiParts } from './tokens.js';

const MEBIBYTE = 1024 * 1024;
/** Longer than any id in a path, `userId` with 128 characters, each perhaps escaped as three. */
const MAX_PARAM_LENGTH = 512;

/** What a client may take to send a whole request, in milliseconds; a bulk may be 16 MiB. */
const REQUEST_TIMEOUT_MS = 60_000;

const adapterOf = (): FastifyAdapter =>
  new FastifyAdapter({
    bodyLimit: MEBIBYTE,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: requestIdOf,
    requestIdHeader: false,
    // What arrives while it drains is still served, and told to close the connection.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // Paths that the router cannot read at all.
    frameworkErrors: (_error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      const { status, headers, body } = problemAnswer(new NotFound('resource'), request.url, request.id);
      void reply
        .code(status)
        .headers({ ...headers, 'x-request-id': request.id })
        .type(PROBLEM_TYPE)
        .send(JSON.stringify(body));
    },
  });

/**
 * The whole application over its parts, not listening yet.
 * @param logger of what Nest itself says; false for silence
 * @throws IncompleteApi
 */
export const createApi = async (
  parts: ApiParts,
  settings: ApiSettings,
  logger: LoggerService | false = false,
): Promise<NestFastifyApplication> => {
  const adapter = adapterOf();
  leaveWithLastWords(adapter.getInstance());
  installGate(adapter.getInstance(), parts, settings.CORS_ORIGINS);
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.with(parts, settings), adapter, {
    bodyParser: false,
    logger,
    abortOnError: false,
  });
  if (settings.CORS_ORIGINS.length > 0)
    app.enableCors({
      origin: settings.CORS_ORIGINS,
      // For the cookie of the inbox, the only one that is ever looked at.
      credentials: true,
      methods: ['GET', 'POST', 'PUT', 'DELETE'],
      exposedHeaders: ['X-Request-Id', 'Idempotent-Replayed', 'Retry-After'],
      maxAge: 600,
      strictPreflight: false,
    });
  await app.init();
  return app;
};
