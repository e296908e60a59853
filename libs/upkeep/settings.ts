import { validateCronExpression } from 'cron';
import { z } from 'zod';
import { integer } from '#config/settings';
import { cleanUpSettings } from './clean-up-settings.js';

const seconds = (fallback: number, what: string) =>
  integer(1, 86_400)
    .default(fallback)
    .meta({ description: `seconds between ${what}` });

/** Five fields, or six with seconds first. */
const cronExpression = z.string().refine((text) => validateCronExpression(text).valid, {
  error: 'must be a cron expression such as 0 3 * * *',
});

export const upkeepSettings = z.object({
  RELAY_EVERY_S: seconds(1, 'looks for what the broker has not confirmed, or is due by now'),
  BULK_RELAY_EVERY_S: seconds(10, 'looks for bulks whose items the broker has not confirmed'),
  CLAIM_RELAY_EVERY_S: seconds(10, 'looks for what was sent and the broker has not confirmed'),
  OVERDUE_EVERY_S: seconds(60, 'looks for lost wake-ups'),
  OVERDUE_MARGIN_S: integer(1, 86_400)
    .default(30)
    .meta({ description: 'seconds by which a notification must be overtaken before its wake-up counts as lost' }),
  STALE_LEASES_EVERY_S: seconds(10, 'looks for what vanished dispatchers had claimed'),
  STALE_LEASE_GRACE_S: integer(0, 3600)
    .default(2)
    .meta({ description: 'seconds that a dispatcher is granted after the end of its lease' }),
  EXPIRY_EVERY_S: seconds(30, 'looks for what has expired'),
  FALLBACKS_EVERY_S: seconds(5, 'looks for groups whose next channel has its turn'),
  INBOX_READS_EVERY_S: seconds(5, 'looks for what was read in inboxes, to mark its notifications'),
  AUTOMATIC_RETRY_EVERY_S: seconds(30, 'looks for failed notifications that are to be tried once more'),
  BULK_COMPLETION_EVERY_S: seconds(5, 'looks for bulks that have nothing pending'),
  STALE_COUNTERS_EVERY_S: seconds(600, "removals of counters of users' minutes that are over"),
  CLEAN_UP_CRON: cronExpression.default('0 3 * * *').meta({
    description: 'when what is older than CLEAN_UP_AFTER_DAYS is removed: a cron expression, in UTC',
  }),
  ...cleanUpSettings.shape,
});
export type UpkeepSettings = z.output<typeof upkeepSettings>;
