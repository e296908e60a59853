import { z } from 'zod';
import { integer } from '#config/settings';

export const schedulerSettings = z.object({
  SCHEDULER_HOST: z.string().default('0.0.0.0').meta({ description: 'address that /health and /metrics listen on' }),
  SCHEDULER_PORT: integer(0, 65_535).default(8011).meta({ description: 'port of /health and /metrics' }),
});
