import { type DynamicModule, Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { HealthLifecycle } from './health-lifecycle.js';
import { JobRunner } from './job-runner.js';
import { PARTS, type SchedulerParts } from './tokens.js';

@Module({})
export class SchedulerModule {
  static with(parts: SchedulerParts): DynamicModule {
    return {
      module: SchedulerModule,
      imports: [ScheduleModule.forRoot()],
      providers: [{ provide: PARTS, useValue: parts }, JobRunner, HealthLifecycle],
    };
  }
}
