import { z } from 'zod';
import { integer } from '#config/settings';
import { CHANNELS, type Channel } from '#contracts/vocabulary';

/** Providers in order, by `<service>/<channel>`. */
export type Orders = ReadonlyMap<string, readonly string[]>;

const ENTRY = new RegExp(`^([a-z0-9-]+)/(${CHANNELS.join('|')})=([a-z0-9-]+(,[a-z0-9-]+)*)$`);

const parseOrders = (text: string): Orders | null => {
  const orders = new Map<string, readonly string[]>();
  for (const part of text.split(';').map((one) => one.trim())) {
    if (part === '') continue;
    const [, service, channel, names = ''] = ENTRY.exec(part) ?? [];
    const order = names.split(',');
    const key = `${service}/${channel}`;
    if (service === undefined || orders.has(key) || new Set(order).size !== order.length) return null;
    orders.set(key, order);
  }
  return orders;
};

export const ProviderSettings = z.object({
  PROVIDERS_BY_SERVICE: z
    .string()
    .transform((text, context) => {
      const orders = parseOrders(text);
      if (orders !== null) return orders;
      context.addIssue({ code: 'custom', message: 'must look like diabetes/sms=twilio,orange;wellness/email=smtp' });
      return z.NEVER;
    })
    .optional()
    .meta({
      description:
        'providers of single services and channels, in the order in which they are asked, where not as all others',
      examples: ['diabetes/sms=twilio,orange'],
    }),
  PROVIDER_HALF_OPEN_MS: integer(100, 600_000)
    .default(10_000)
    .meta({ description: 'after so long one message probes whether a provider that is down is up again' }),
});
export type ProviderSettings = z.output<typeof ProviderSettings>;

/** Of one channel, by service; each name must be one of the channel's. @returns what is wrong, or the orders */
export const ordersOf = (
  orders: Orders | undefined,
  channel: Channel,
  names: readonly string[],
): { orders: ReadonlyMap<string, readonly string[]>; problems: string[] } => {
  const own = new Map<string, readonly string[]>();
  const problems: string[] = [];
  for (const [key, order] of orders ?? []) {
    const [service = '', of] = key.split('/');
    if (of !== channel) continue;
    if (order.every((name) => names.includes(name))) own.set(service, order);
    else problems.push(`PROVIDERS_BY_SERVICE names for ${key} what is not among ${names.join(', ')}`);
  }
  return { orders: own, problems };
};
