import { z } from 'zod';
import { integer } from '#config/settings';

export const dispatcherSettings = z.object({
  DISPATCHER_HOST: z.string().default('0.0.0.0').meta({ description: 'address that /health and /metrics listen on' }),
  DISPATCHER_PORT: integer(0, 65_535).default(8010).meta({ description: 'port of /health and /metrics' }),
});
