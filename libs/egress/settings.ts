import { z } from 'zod';
import { parseAllowLists, type AllowLists } from './allow-list.js';

const allowLists = z.string().transform((text, context): AllowLists => {
  const lists = parseAllowLists(text);
  if (lists !== null) return lists;
  context.addIssue({ code: 'custom', message: 'must be like test=127.0.0.1/32,localhost;diabetes=10.0.0.0/8' });
  return z.NEVER;
});

export const EgressSettings = z.object({
  EGRESS_ALLOW: allowLists.prefault('').meta({
    description:
      'places that are not public and that webhooks may reach all the same, by service: service=host-or-address-or-CIDR,...;service=..., where * stands for every service',
    examples: ['test=127.0.0.1/32,localhost;diabetes=10.0.0.0/8'],
  }),
});
export type EgressSettings = z.output<typeof EgressSettings>;
