import { z } from 'zod';
import { MAX_TARGETS } from '../vocabulary.js';

const Target = z.string().min(1).max(4096);

/** Device tokens, addresses, numbers, URLs or Slack channels of the one recipient, according to `channel`. */
export const Targets = z.union([Target, z.array(Target).min(1).max(MAX_TARGETS)]).meta({
  description: `One target or up to ${MAX_TARGETS}, all of the same recipient: device tokens (push), addresses (email), phone numbers (sms), URLs (webhook), or channels, people and names of configured webhooks as #reminders, C024BE91L or webhook:alerts (slack). Numbers are international, such as +2250707123456, or as the configured country of the service writes them. Left out, the targets that the recipient has registered are used.`,
  examples: [['ada@example.org']],
});

/** As JSON Schema says it: a user, or targets of its own. */
export const NEEDS_A_RECIPIENT = {
  anyOf: [{ required: ['userId'], properties: { userId: { type: 'string' as const } } }, { required: ['to'] }],
};
