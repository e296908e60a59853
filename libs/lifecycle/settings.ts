import { z } from 'zod';
import { integer, InvalidSettings, list } from '#config/settings';
import { ServiceName } from '#contracts/http/primitives';

/** Stands for every service. */
const ALL = '*';

export const approvalSettings = z.object({
  APPROVAL_BY_OTHERS: list(z.union([ServiceName, z.literal(ALL)]))
    .default([])
    .meta({
      description:
        'services, or *, whose drafts have to be approved with a key of another owner than the one they were made with',
      example: 'diabetes,maternity',
    }),
});
export type ApprovalSettings = z.output<typeof approvalSettings>;

/** @throws InvalidSettings for a service that there is not: what it was meant for would go without */
export const approvalByOthers = (
  { APPROVAL_BY_OTHERS: named }: ApprovalSettings,
  services: readonly string[],
): ((serviceName: string) => boolean) => {
  if (named.some((name) => name !== ALL && !services.includes(name)))
    throw new InvalidSettings(['APPROVAL_BY_OTHERS must name services of CARILLON_SERVICES, or *']);
  return (serviceName) => named.includes(serviceName) || named.includes(ALL);
};

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
