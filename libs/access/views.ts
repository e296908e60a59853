import type { CreatedKey, KeyBody } from '#contracts/http/keys';
import type { RecipientBody } from '#contracts/http/recipients';
import { CHANNEL_RULES } from '#domain/channels/channels';
import type { IssuedKey } from './keys.js';
import type { ApiKey, Recipient } from './ports.js';

export const keyView = (key: ApiKey): KeyBody => ({
  id: key.id,
  owner: key.owner,
  scopes: key.scopes,
  services: key.services,
  createdAt: key.createdAt.toISOString(),
  expiresAt: key.expiresAt === null ? null : key.expiresAt.toISOString(),
  revokedAt: key.revokedAt === null ? null : key.revokedAt.toISOString(),
});

export const issuedView = (issued: IssuedKey): CreatedKey => ({ ...keyView(issued.key), key: issued.text });

/** The profile as it was given; device tokens are masked. */
export const recipientView = (recipient: Recipient): RecipientBody => ({
  serviceName: recipient.serviceName,
  userId: recipient.userId,
  email: recipient.email,
  phone: recipient.phone,
  webhookUrl: recipient.webhookUrl,
  locale: recipient.locale,
  timezone: recipient.timezone,
  attributes: recipient.attributes,
  devices: recipient.devices.map((device) => ({
    id: device.id,
    platform: device.platform,
    token: CHANNEL_RULES.push.maskTarget(device.token),
    createdAt: device.createdAt.toISOString(),
  })),
  createdAt: recipient.createdAt.toISOString(),
  updatedAt: recipient.updatedAt.toISOString(),
});
