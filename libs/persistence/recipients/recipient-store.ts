import { Types } from 'mongoose';
import type { Device, Recipient, RecipientProfile, RecipientStore } from '#access/ports';
import type { Platform } from '#contracts/vocabulary';
import type { Databases } from '../databases.js';
import { isDuplicateKey } from '../errors.js';
import { NOW, REMOVE } from '../expressions.js';
import { packJson, unpackJson } from '../free-json.js';
import { type RecipientDocument, recipients } from './schema.js';

/** Times that a token is taken from another user who registers it at the same moment. */
const MAX_TRIES = 5;

export class MongoRecipientStore implements RecipientStore {
  constructor(
    private readonly databases: Databases,
    /** Devices of one recipient; the oldest gives way. */
    private readonly maxDevices: number,
  ) {}

  async get(serviceName: string, userId: string): Promise<Recipient | null> {
    const document = await this.databases.inService(serviceName, recipients, (collection) =>
      collection.findOne({ _id: userId }),
    );
    return document === null ? null : recipientOf(serviceName, document);
  }

  async put(serviceName: string, userId: string, profile: RecipientProfile): Promise<Recipient> {
    const { email, webhookUrl, locale, timezone, attributes } = profile;
    const orNothing = (value: string | null): unknown => (value === null ? REMOVE : { $literal: value });
    const document = await this.upsert(serviceName, userId, {
      email: orNothing(email),
      webhookUrl: orNothing(webhookUrl),
      locale: { $literal: locale },
      timezone: { $literal: timezone },
      attributes: { $literal: packJson(attributes) },
      devices: { $ifNull: ['$devices', []] },
    });
    return recipientOf(serviceName, document);
  }

  delete(serviceName: string, userId: string): Promise<boolean> {
    return this.databases.inService(serviceName, recipients, async (collection) => {
      const { deletedCount } = await collection.deleteOne({ _id: userId });
      return deletedCount === 1;
    });
  }

  async addDevice(serviceName: string, userId: string, token: string, platform: Platform): Promise<Device> {
    for (let tries = 1; ; tries += 1) {
      await this.databases.inService(serviceName, recipients, (collection) =>
        collection.updateMany(
          { 'devices.token': token, _id: { $ne: userId } },
          { $pull: { devices: { token } }, $currentDate: { updatedAt: true } },
        ),
      );
      try {
        const { devices } = await this.upsert(serviceName, userId, withDevice(token, platform, this.maxDevices));
        const device = devices.find((one) => one.token === token);
        if (device !== undefined) return device;
      } catch (error) {
        if (!isDuplicateKey(error) || tries >= MAX_TRIES) throw error;
      }
    }
  }

  removeDevice(serviceName: string, userId: string, deviceId: string): Promise<boolean> {
    return this.databases.inService(serviceName, recipients, async (collection) => {
      const { modifiedCount } = await collection.updateOne(
        { _id: userId, 'devices.id': deviceId },
        { $pull: { devices: { id: deviceId } }, $currentDate: { updatedAt: true } },
      );
      return modifiedCount === 1;
    });
  }

  private async upsert(
    serviceName: string,
    userId: string,
    fields: Record<string, unknown>,
  ): Promise<RecipientDocument> {
    const document = await this.databases.inService(serviceName, recipients, (collection) =>
      collection.findOneAndUpdate(
        { _id: userId },
        [{ $set: { ...fields, createdAt: { $ifNull: ['$createdAt', NOW] }, updatedAt: NOW } }],
        { upsert: true, returnDocument: 'after' },
      ),
    );
    if (document === null) throw new Error('an upsert answered no document');
    return document;
  }
}

const recipientOf = (serviceName: string, document: RecipientDocument): Recipient => ({
  serviceName,
  userId: document._id,
  email: document.email ?? null,
  webhookUrl: document.webhookUrl ?? null,
  locale: document.locale,
  timezone: document.timezone,
  attributes: unpackJson(document.attributes),
  devices: document.devices,
  createdAt: document.createdAt,
  updatedAt: document.updatedAt,
});

/** The same token again keeps its place and id, and takes the platform said last. */
const withDevice = (token: string, platform: Platform, maxDevices: number): Record<string, unknown> => {
  const devices = { $ifNull: ['$devices', []] };
  const id = new Types.ObjectId().toHexString();
  const added = { id, token: { $literal: token }, platform, createdAt: NOW };
  const renewed = {
    $map: {
      input: '$devices',
      as: 'one',
      in: {
        $cond: [{ $eq: ['$$one.token', { $literal: token }] }, { $mergeObjects: ['$$one', { platform }] }, '$$one'],
      },
    },
  };
  const known = { $in: [{ $literal: token }, { $ifNull: ['$devices.token', []] }] };
  return {
    locale: { $ifNull: ['$locale', null] },
    timezone: { $ifNull: ['$timezone', null] },
    attributes: { $ifNull: ['$attributes', { $literal: {} }] },
    devices: { $cond: [known, renewed, { $slice: [{ $concatArrays: [devices, [added]] }, -maxDevices] }] },
  };
};
