import { z } from 'zod';
import { integer, list } from '#config/settings';

const origin = z
  .string()
  .refine(
    (text) => URL.parse(text)?.origin === text,
    'must be origins such as https://app.example.org, separated by commas',
  );

export const apiSettings = z.object({
  NOTIFICATION_API_HOST: z.string().default('0.0.0.0').meta({ description: 'address that the HTTP API listens on' }),
  NOTIFICATION_API_PORT: integer(0, 65_535).default(8009).meta({ description: 'port of the HTTP API' }),
  CORS_ORIGINS: list(origin).default([]).meta({
    description:
      'origins whose pages may call the API from a browser, with the cookie of the inbox too, separated by commas; none by default',
  }),
  KEY_RATE_PER_MINUTE: integer(1, 100_000_000).default(60_000).meta({
    description:
      'requests that one API key may make in a minute to one replica; divide a total by the number of replicas',
  }),
});
export type ApiSettings = z.output<typeof apiSettings>;
