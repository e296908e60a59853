import { z } from 'zod';
import { PLATFORMS } from '../vocabulary.js';
import { Id, JsonObject, OutTime, ServiceName, UserId } from './primitives.js';

export const RecipientPath = z.strictObject({ serviceName: ServiceName, userId: UserId });
export const DevicePath = z.strictObject({ serviceName: ServiceName, userId: UserId, deviceId: Id });

export const PutRecipient = z
  .strictObject({
    email: z.string().min(3).max(254).nullish(),
    phone: z.string().min(3).max(32).nullish(),
    webhookUrl: z.string().min(1).max(2048).nullish(),
    locale: z
      .string()
      .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be a language tag such as fr-CI')
      .nullish(),
    timezone: z.string().min(1).max(64).nullish(),
    attributes: JsonObject.default({}),
  })
  .meta({
    id: 'PutRecipient',
    examples: [{ email: 'ada@example.org', phone: '+2250707123456', locale: 'fr-CI', timezone: 'Africa/Abidjan' }],
  });
export type PutRecipient = z.output<typeof PutRecipient>;

export const CreateDevice = z
  .strictObject({ token: z.string().min(1).max(4096), platform: z.enum(PLATFORMS) })
  .meta({ id: 'CreateDevice', examples: [{ token: 'fcm-registration-token', platform: 'android' }] });
export type CreateDevice = z.output<typeof CreateDevice>;

export const DeviceBody = z
  .object({
    id: Id,
    platform: z.enum(PLATFORMS),
    token: z.string().meta({ description: 'Masked.' }),
    createdAt: OutTime,
  })
  .meta({ id: 'Device' });

export const RecipientBody = z
  .object({
    serviceName: ServiceName,
    userId: UserId,
    email: z.string().nullable(),
    phone: z.string().nullable(),
    webhookUrl: z.string().nullable(),
    locale: z.string().nullable(),
    timezone: z.string().nullable(),
    attributes: z.record(z.string(), z.unknown()),
    devices: z.array(DeviceBody),
    createdAt: OutTime,
    updatedAt: OutTime,
  })
  .meta({ id: 'Recipient' });
export type RecipientBody = z.output<typeof RecipientBody>;

export const CreatedDevice = z.object({ id: Id }).meta({ id: 'CreatedDevice' });
