import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { InjectCommander } from 'nest-commander';
import { type CliCommand, type CliParts, PARTS, type ParsedCommand } from './command.js';
import { TestAll, TestCache, TestLock, TestMessenger, TestRateLimiter, TestWorkflow } from './commands/checks.js';
import { Cleanup } from './commands/cleanup.js';
import { Completion } from './commands/completion.js';
import { DeadLettersList, DeadLettersReplay, DeadLettersShow } from './commands/dead-letters.js';
import { Fixtures } from './commands/fixtures.js';
import {
  NotificationApprove,
  NotificationCancel,
  NotificationRetry,
  NotificationShow,
} from './commands/notification-actions.js';
import { NotificationList, NotificationStats } from './commands/notification-lists.js';
import { NotificationSend } from './commands/notification-send.js';
import { NotificationTest } from './commands/notification-test.js';
import { ProvidersDisable, ProvidersEnable, ProvidersList } from './commands/providers.js';
import { TemplatesList, TemplatesPush } from './commands/templates.js';
import { Worker } from './commands/worker.js';

const COMMANDS: Type<CliCommand>[] = [
  NotificationSend,
  NotificationApprove,
  NotificationCancel,
  NotificationRetry,
  NotificationShow,
  NotificationList,
  NotificationStats,
  NotificationTest,
  DeadLettersList,
  DeadLettersShow,
  DeadLettersReplay,
  ProvidersList,
  ProvidersDisable,
  ProvidersEnable,
  TemplatesPush,
  TemplatesList,
  Cleanup,
  Worker,
  TestWorkflow,
  TestMessenger,
  TestRateLimiter,
  TestCache,
  TestLock,
  TestAll,
  Fixtures,
  Completion,
];

/** The parser would take the name of the file that runs. */
class ProgramName {
  constructor(@InjectCommander() program: ParsedCommand) {
    program.name('carillon');
  }
}

@Module({})
export class CliModule {
  static with(parts: CliParts): DynamicModule {
    return { module: CliModule, providers: [{ provide: PARTS, useValue: parts }, ProgramName, ...COMMANDS] };
  }
}
