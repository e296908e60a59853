import { Controller, Get, Inject, Res, ServiceUnavailableException } from '@nestjs/common';
import { type HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { FastifyReply } from 'fastify';
import { type ApiParts, PARTS } from '../tokens.js';

/** Milliseconds that the database has to answer. */
const DATABASE_TIMEOUT_MS = 2_000;

/** What operators and their tools ask of the process itself. */
@Controller()
export class SystemController {
  constructor(
    @Inject(PARTS) private readonly parts: Pick<ApiParts, 'readiness' | 'registry' | 'version'>,
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
  ) {}

  @Get('health')
  health(): { status: string; timestamp: string; version: string } {
    return { status: 'ok', timestamp: new Date().toISOString(), version: this.parts.version };
  }

  /** Ready while it can accept. That needs the database only: what the broker does not take now is published later. */
  @Get('health/ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthCheckResult> {
    const { readiness } = this.parts;
    try {
      return await this.checks.check([
        () =>
          this.indicators
            .check('mongodb')
            .attempt(() => readiness.database())
            .withTimeout(DATABASE_TIMEOUT_MS),
        () => {
          const rabbitmq = this.indicators.check('rabbitmq');
          return readiness.broker() ? rabbitmq.up() : rabbitmq.degraded('not connected; what is accepted waits');
        },
      ]);
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      void reply.code(error.getStatus());
      return error.getResponse() as HealthCheckResult;
    }
  }

  @Get('metrics')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const text = await this.parts.registry.metrics();
    void reply.type(this.parts.registry.contentType);
    return text;
  }
}
