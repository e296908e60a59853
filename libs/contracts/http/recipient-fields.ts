import { z } from 'zod';
import { MAX_TARGETS } from '../vocabulary.js';

const Target = z.string().min(1).max(4096);

/** Device tokens, addresses, URLs or Slack channels of the one recipient, according to `channel`. */
export const Targets = z.union([Target, z.array(Target).min(1).max(MAX_TARGETS)]).meta({
  description: `One target or up to ${MAX_TARGETS}, all of the same recipient: device tokens (push), addresses (email), URLs (webhook), or channels, people and names of configured webhooks as #reminders, C024BE91L or webhook:alerts (slack). Left out, the targets that the recipient has registered are used.`,
  examples: [['ada@example.org']],
});

/** As JSON Schema says it: a user, or targets of its own. */
export const NEEDS_A_RECIPIENT = {
  anyOf: [{ required: ['userId'], properties: { userId: { type: 'string' as const } } }, { required: ['to'] }],
};
