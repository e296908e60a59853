import { z } from 'zod';
import { integer } from '#config/settings';

/** What the gateway reads, too. */
export const cleanUpSettings = z.object({
  CLEAN_UP_AFTER_DAYS: integer(1, 90)
    .default(30)
    .meta({ description: 'days since their creation for which notifications are kept once they are final' }),
});
