import { type Logger, pino } from 'pino';
import { z } from 'zod';

export type { Logger } from 'pino';

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export const loggingSettings = z.object({
  LOG_LEVEL: z
    .enum(LEVELS, { error: `must be one of ${LEVELS.join(', ')}` })
    .default('info')
    .meta({ description: `least severe level that is logged: ${LEVELS.join(', ')}` }),
});

/** Never in a log line: secrets, contents and addresses. */
const REDACTED = [
  'authorization',
  'password',
  'secret',
  'token',
  'key',
  'body',
  'html',
  'title',
  'data',
  'to',
  'target',
  'email',
];

/** JSON lines on standard output. */
export const createLogger = (app: string, level: string): Logger =>
  pino({
    level,
    base: { app, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
  });
