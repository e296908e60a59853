import { z } from 'zod';
import { integer } from '#config/settings';

export const PushSettings = z.object({
  FCM_PROJECT_ID: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'must be the id of a Firebase project')
    .optional()
    .meta({
      description: 'Firebase project to send push by; without it the channel push is not configured',
      examples: ['my-app-12345'],
    }),
  FCM_CREDENTIALS_FILE: z
    .string()
    .optional()
    .meta({ description: 'path of a service account key of that project, as JSON' }),
  FCM_CREDENTIALS_JSON: z.string().optional().meta({ description: 'the same key itself, instead of a path' }),
  FCM_ACCESS_TOKEN: z.string().optional().meta({
    description: "fixed bearer token instead of a service account, for endpoints that are not Google's",
  }),
  FCM_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .default('https://fcm.googleapis.com')
    .meta({
      description: "where FCM's HTTP v1 API is, for test doubles and gateways",
    }),
  FCM_SOCKETS: integer(1, 1000).default(64).meta({ description: 'connections to FCM that one dispatcher keeps' }),
  FCM_BATCHES: integer(1, 32)
    .default(4)
    .meta({ description: 'one dispatcher has as many messages under way at once as fill so many batches of 500' }),
  FCM_TIMEOUT_MS: integer(100, 120_000).default(15_000).meta({ description: 'after so long a batch is given up' }),
});
export type PushSettings = z.output<typeof PushSettings>;
