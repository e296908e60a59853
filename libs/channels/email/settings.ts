import { z } from 'zod';
import { flag, integer } from '#config/settings';

export const EmailSettings = z.object({
  EMAIL_FROM: z
    .string()
    .optional()
    .meta({
      description:
        'sender of every e-mail: an address, or a name and an address; without it the channel email is not configured',
      examples: ['Carillon <no-reply@example.org>'],
    }),
  EMAIL_MESSAGE_ID_DOMAIN: z
    .string()
    .regex(/^[a-z0-9.-]+$/i, 'must be a domain')
    .optional()
    .meta({
      description: 'what stands after the @ of each Message-ID; the domain of EMAIL_FROM unless set',
    }),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/, error: 'must be an smtp or smtps URL' })
    .optional()
    .meta({
      description:
        'mail server in one: smtp://user:password@host:587, smtps for TLS from the start; instead of the next five',
    }),
  SMTP_HOST: z.string().optional().meta({ description: 'mail server' }),
  SMTP_PORT: integer(1, 65_535).optional().meta({ description: 'its port; 587, or 465 with SMTP_SECURE, unless set' }),
  SMTP_USER: z.string().optional().meta({ description: 'user to log in as; none: without a login' }),
  SMTP_PASSWORD: z.string().optional().meta({ description: 'password of that user' }),
  SMTP_SECURE: flag()
    .prefault('false')
    .meta({ description: 'TLS from the start; otherwise STARTTLS where the server offers it' }),
  SMTP_REQUIRE_TLS: flag()
    .prefault('false')
    .meta({ description: 'send nothing if the server does not offer STARTTLS' }),
  SMTP_IGNORE_TLS: flag()
    .prefault('false')
    .meta({ description: 'never use STARTTLS, even if offered; for servers on the same host' }),
  SMTP_TLS_REJECT_UNAUTHORIZED: flag()
    .prefault('true')
    .meta({ description: 'refuse a server whose certificate is not trusted' }),
  SMTP_TLS_CA_FILE: z
    .string()
    .optional()
    .meta({ description: 'path of the authorities to trust, as PEM, instead of the usual ones' }),
  SMTP_BACKUP_URL: z
    .url({ protocol: /^smtps?$/, error: 'must be an smtp or smtps URL' })
    .optional()
    .meta({
      description:
        'a second mail server, written as SMTP_URL, which takes over where the first one (smtp) fails; its name is smtp-backup',
    }),
  SMTP_POOL_SIZE: integer(1, 500)
    .default(50)
    .meta({ description: 'connections that one dispatcher keeps, and e-mails it sends at once' }),
  SMTP_MESSAGES_PER_CONNECTION: integer(1, 1_000_000)
    .default(1000)
    .meta({ description: 'after so many a connection is replaced' }),
  SMTP_TIMEOUT_MS: integer(100, 600_000)
    .default(30_000)
    .meta({ description: 'after so long one e-mail is given up, over all mail servers that are asked' }),
});
export type EmailSettings = z.output<typeof EmailSettings>;
