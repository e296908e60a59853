import { z } from 'zod';
import { integer } from '#config/settings';

export const lifecycleSettings = z.object({
  AUTOMATIC_RETRY_AFTER_S: integer(1, 7 * 86_400)
    .default(3600)
    .meta({ description: 'seconds after which a failed notification is tried once more by itself, if that can help' }),
  ALERT_WINDOW_S: integer(1, 86_400)
    .default(900)
    .meta({ description: 'seconds in which alerts of the same class, service and channel are told once' }),
  ALERT_WEBHOOK_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .optional()
    .meta({
      description: 'where alerts for the operators are posted',
      example: 'https://ops.example.org/hooks/carillon',
    }),
  ALERT_EMAIL_TO: z
    .email({ error: 'must be an e-mail address' })
    .optional()
    .meta({ description: 'address of the operators that dispatchers mail alerts to', example: 'ops@example.org' }),
});
export type LifecycleSettings = z.output<typeof lifecycleSettings>;
