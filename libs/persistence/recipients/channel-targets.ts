import type { mongo } from 'mongoose';
import type { Channel } from '#contracts/vocabulary';
import type { RecipientDocument } from './schema.js';

/** Where a channel finds its targets in a recipient, and how it forgets them. */
export interface ChannelTargets {
  projection: mongo.Document;
  of: (document: RecipientDocument) => string[];
  having: (targets: string[]) => mongo.Filter<RecipientDocument>;
  without: (targets: string[]) => mongo.UpdateFilter<RecipientDocument>;
}

/** Of a channel whose targets are the users themselves: each has exactly one, known or not, that is never forgotten. */
export const USER_ID = 'user-id';

/** Channels without an entry reach only the targets that a caller names. */
export const CHANNEL_TARGETS: Readonly<Partial<Record<Channel, ChannelTargets | typeof USER_ID>>> = {
  push: {
    projection: { 'devices.token': 1 },
    of: ({ devices }) => (devices ?? []).map(({ token }) => token),
    having: (targets) => ({ 'devices.token': { $in: targets } }),
    without: (targets) => ({ $pull: { devices: { token: { $in: targets } } } }),
  },
  email: {
    projection: { email: 1 },
    of: ({ email }) => (email === undefined ? [] : [email]),
    having: (targets) => ({ email: { $in: targets } }),
    without: () => ({ $unset: { email: '' } }),
  },
  sms: {
    projection: { phone: 1 },
    of: ({ phone }) => (phone === undefined ? [] : [phone]),
    having: (targets) => ({ phone: { $in: targets } }),
    without: () => ({ $unset: { phone: '' } }),
  },
  webhook: {
    projection: { webhookUrl: 1 },
    of: ({ webhookUrl }) => (webhookUrl === undefined ? [] : [webhookUrl]),
    having: (targets) => ({ webhookUrl: { $in: targets } }),
    without: () => ({ $unset: { webhookUrl: '' } }),
  },
  'in-app': USER_ID,
};
