import { z } from 'zod';
import { integer } from '#config/settings';

export const InAppSettings = z.object({
  INBOX_RETENTION_DAYS: integer(1, 3650)
    .default(90)
    .meta({ description: 'days after which items of the in-app inbox are deleted' }),
});
export type InAppSettings = z.output<typeof InAppSettings>;
