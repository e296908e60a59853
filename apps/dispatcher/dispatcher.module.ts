import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { DeadLettersController } from './dead-letters.controller.js';
import { IntakeController } from './intake.controller.js';
import { MetricsInterceptor } from './metrics.interceptor.js';
import { OutcomeFilter } from './outcome.filter.js';
import { ReportsController } from './reports.controller.js';
import { type DispatcherParts, PARTS } from './tokens.js';

@Module({})
export class DispatcherModule {
  static with(parts: DispatcherParts): DynamicModule {
    return {
      module: DispatcherModule,
      controllers: [IntakeController, ReportsController, DeadLettersController],
      providers: [
        { provide: PARTS, useValue: parts },
        { provide: APP_FILTER, useClass: OutcomeFilter },
        { provide: APP_INTERCEPTOR, useClass: MetricsInterceptor },
      ],
    };
  }
}
