import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PARTS, type SchedulerParts } from './tokens.js';

/** Answers /health and /metrics while the app runs. */
@Injectable()
export class HealthLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(PARTS) private readonly parts: SchedulerParts) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.parts.health.listen();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.parts.health.close();
  }
}
