import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { z } from 'zod';
import { redacted, withoutAddresses } from './redaction.js';

export type { Logger } from 'pino';

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export const loggingSettings = z.object({
  LOG_LEVEL: z
    .enum(LEVELS, { error: `must be one of ${LEVELS.join(', ')}` })
    .default('info')
    .meta({ description: `least severe level that is logged: ${LEVELS.join(', ')}` }),
});

/** What pino would take for the message of a line that has none: what its error says. */
const errorOf = (fields: unknown): Error | null => {
  const error: unknown = fields instanceof Error ? fields : (fields as { err?: unknown } | null)?.err;
  return error instanceof Error ? error : null;
};

const options: LoggerOptions = {
  timestamp: pino.stdTimeFunctions.isoTime,
  // A walk over the few fields of a line costs less than pino's own redaction by paths, and knows no depth.
  formatters: { level: (label) => ({ level: label }), log: redacted },
  serializers: { err: (error: unknown) => error },
  hooks: {
    logMethod(args, method) {
      const [fields, message] = args;
      const error = message === undefined ? errorOf(fields) : null;
      if (error === null) method.apply(this, args);
      else method.call(this, fields, withoutAddresses(error.message));
    },
  },
};

/** Lines go out together, at the latest after this time, in milliseconds, and at the end of the process. */
const FLUSH_MS = 250;
const FLUSH_BYTES = 4096;

/** JSON lines, on standard output unless told otherwise. */
export const createLogger = (app: string, level: string, destination?: DestinationStream): Logger =>
  pino(
    { ...options, level, base: { app, pid: process.pid } },
    destination ?? pino.destination({ sync: false, minLength: FLUSH_BYTES, periodicFlush: FLUSH_MS }),
  );
