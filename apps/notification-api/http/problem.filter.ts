import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ApiParts, PARTS } from '../tokens.js';
import { asRefusal, problemAnswer } from './problem.js';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Every error becomes a problem here; those that nobody expected are logged and say nothing of themselves. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'log'>) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const refusal = asRefusal(error);
    if (refusal === null) this.parts.log.error({ err: error, requestId: request.id }, 'a request failed');
    if (reply.sent) return;
    const { status, headers, body } = problemAnswer(refusal, request.url, request.id);
    void reply.code(status).headers(headers).type(PROBLEM_TYPE).send(JSON.stringify(body));
  }
}
