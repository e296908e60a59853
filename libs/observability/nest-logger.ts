import type { LoggerService } from '@nestjs/common';
import { Logger as NestPino, PinoLogger } from 'nestjs-pino';
import type { Logger } from './logging.js';

/** Warnings and errors, and Nest's routine where the app logs finely itself. */
export const nestLevelOf = (log: Logger): string =>
  log.isLevelEnabled('debug') || !log.isLevelEnabled('warn') ? log.level : 'warn';

/**
 * What Nest says, as lines of the app's own logger; one in a process. Without the module of nestjs-pino, whose
 * middleware would run for each request.
 */
export const nestLogger = (log: Logger): Required<Pick<LoggerService, 'log' | 'error' | 'warn' | 'fatal'>> => {
  const logger = log.child({}, { level: nestLevelOf(log) });
  return new NestPino(new PinoLogger({ pinoHttp: { logger, wrapSerializers: false } }), {});
};
