import { z } from 'zod';
import { integer } from '#config/settings';

export const dispatcherSettings = z.object({
  DISPATCHER_HOST: z.string().default('0.0.0.0').meta({ description: 'address that /health and /metrics listen on' }),
  DISPATCHER_PORT: integer(0, 65_535).default(8010).meta({ description: 'port of /health and /metrics' }),
  DISPATCHER_BATCH_PAUSE_MS: integer(0, 3_600_000).default(0).meta({
    description: 'milliseconds between two batches of RABBITMQ_PREFETCH in each lane; 0 takes what comes at once',
  }),
});
