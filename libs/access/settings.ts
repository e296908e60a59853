import { z } from 'zod';
import { integer } from '#config/settings';
import { ServiceName } from '#contracts/http/primitives';
import { SCOPES, type Scope } from '#contracts/vocabulary';

export interface AmqpUser {
  services: string[];
  scopes: Scope[];
}

/** `user=service,service:scope,scope`; scopes hold colons themselves, so the first colon ends the services. */
const USER = /^([^=;:\s]{1,255})=([^:;=\s]+):([^;=\s]+)$/;
const EXAMPLE = 'billing=diabetes,wellness:notifications:send';

const parseUser = (text: string): [string, AmqpUser] | null => {
  const [, user, services, scopes] = USER.exec(text) ?? [];
  if (user === undefined || services === undefined || scopes === undefined) return null;
  const parsed = z
    .object({ services: z.array(ServiceName), scopes: z.array(z.enum(SCOPES)) })
    .safeParse({ services: services.split(','), scopes: scopes.split(',') });
  return parsed.success ? [user, parsed.data] : null;
};

const amqpUsers = z.string().transform((text, context): ReadonlyMap<string, AmqpUser> => {
  const users = new Map<string, AmqpUser>();
  for (const entry of text.split(';').map((part) => part.trim())) {
    if (entry === '') continue;
    const parsed = parseUser(entry);
    if (parsed === null || users.has(parsed[0])) {
      context.addIssue({
        code: 'custom',
        message: `must look like ${EXAMPLE}, each user once, separated by semicolons`,
      });
      return z.NEVER;
    }
    users.set(...parsed);
  }
  return users;
});

export const accessSettings = z.object({
  KEY_CACHE_SECONDS: integer(0, 300).default(5).meta({
    description: 'how long a process may go on with what it knows of an API key when it hears of no change to it',
  }),
  AMQP_USERS: amqpUsers.default(new Map()).meta({
    description: `what each RabbitMQ user may do: user=services:scopes, separated by semicolons, such as ${EXAMPLE}`,
    example: EXAMPLE,
  }),
});
