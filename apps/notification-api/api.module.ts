import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { ThrottlerModule } from '@nestjs/throttler';
import { ActionsController } from './controllers/actions.controller.js';
import { BulksController } from './controllers/bulks.controller.js';
import { DeadLettersController } from './controllers/dead-letters.controller.js';
import { DocsController } from './controllers/docs.controller.js';
import { GroupsController } from './controllers/groups.controller.js';
import { InboxController } from './controllers/inbox.controller.js';
import { KeysController } from './controllers/keys.controller.js';
import { MaintenanceController } from './controllers/maintenance.controller.js';
import { NotificationsController } from './controllers/notifications.controller.js';
import { ReceiptsController } from './controllers/receipts.controller.js';
import { RecipientsController } from './controllers/recipients.controller.js';
import { SystemController } from './controllers/system.controller.js';
import { ProvidersController } from './controllers/providers.controller.js';
import { TemplatesController } from './controllers/templates.controller.js';
import { requireComplete } from './http/handles.js';
import { ProblemFilter } from './http/problem.filter.js';
import { KeyThrottlerGuard, WindowStorage } from './http/throttle.js';
import type { ApiSettings } from './settings.js';
import { type ApiParts, PARTS } from './tokens.js';

export const CONTROLLERS: Type[] = [
  NotificationsController,
  ActionsController,
  BulksController,
  GroupsController,
  RecipientsController,
  ReceiptsController,
  DeadLettersController,
  KeysController,
  ProvidersController,
  TemplatesController,
  InboxController,
  MaintenanceController,
  SystemController,
  DocsController,
];

const MINUTE_MS = 60_000;

@Module({})
export class ApiModule {
  /** @throws IncompleteApi when an operation has no handler, or several */
  static with(parts: ApiParts, settings: Pick<ApiSettings, 'KEY_RATE_PER_MINUTE'>): DynamicModule {
    requireComplete(CONTROLLERS);
    return {
      module: ApiModule,
      imports: [
        TerminusModule.forRoot({ logger: false }),
        ThrottlerModule.forRoot({
          throttlers: [{ ttl: MINUTE_MS, limit: settings.KEY_RATE_PER_MINUTE }],
          storage: new WindowStorage(),
          setHeaders: false,
        }),
      ],
      controllers: CONTROLLERS,
      providers: [
        { provide: PARTS, useValue: parts },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_GUARD, useClass: KeyThrottlerGuard },
      ],
    };
  }
}
