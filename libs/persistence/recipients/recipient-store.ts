import { Types } from 'mongoose';
import type { Device, Recipient, RecipientProfile, RecipientStore } from '#access/ports';
import type { Platform } from '#contracts/vocabulary';
import type { Databases } from '../databases.js';
import { NOW, REMOVE } from '../expressions.js';
import { packJson, unpackJson } from '../free-json.js';
import { upsert } from '../upsert.js';
import { type RecipientDocument, recipients } from './schema.js';

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
    const { email, phone, webhookUrl, locale, timezone, attributes } = profile;
    const orNothing = (value: string | null): unknown => (value === null ? REMOVE : { $literal: value });
    const document = await this.update(serviceName, userId, {
      email: orNothing(email),
      phone: orNothing(phone),
      webhookUrl: orNothing(webhookUrl),
      locale: { $literal: locale },
      timezone: { $literal: timezone },
      attributes: { $literal: packJson(attributes) },
    });
    return recipientOf(serviceName, document);
  }

  delete(serviceName: string, userId: string): Promise<boolean> {
    return this.databases.inService(serviceName, recipients, async (collection) => {
      const { deletedCount } = await collection.deleteOne({ _id: userId });
      return deletedCount === 1;
    });
  }

  /** Whoever registered a token last keeps it; who did it at the same moment sees to that, too. */
  async addDevice(serviceName: string, userId: string, token: string, platform: Platform): Promise<Device> {
    const { devices } = await this.update(serviceName, userId, withDevice(token, platform, this.maxDevices));
    const device = devices.find((one) => one.token === token);
    if (device === undefined) throw new Error('a device was not added');
    await this.databases.inService(serviceName, recipients, async (collection) => {
      const holders = await collection.find({ 'devices.token': token }, { projection: { devices: 1 } }).toArray();
      const [last, ...others] = holders
        .flatMap(({ _id, devices: some }) =>
          some.flatMap((one) => (one.token === token ? [{ _id, registeredAt: one.registeredAt }] : [])),
        )
        .sort((x, y) => y.registeredAt.getTime() - x.registeredAt.getTime() || (x._id < y._id ? 1 : -1));
      if (last === undefined || others.length === 0) return;
      const stays = {
        $or: [{ $ne: ['$$one.token', { $literal: token }] }, { $gt: ['$$one.registeredAt', last.registeredAt] }],
      };
      await collection.updateMany({ _id: { $in: others.map(({ _id }) => _id) } }, [
        { $set: { devices: { $filter: { input: '$devices', as: 'one', cond: stays } }, updatedAt: NOW } },
      ]);
    });
    return deviceOf(device);
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

  private update(serviceName: string, userId: string, fields: Record<string, unknown>): Promise<RecipientDocument> {
    const now = new Date();
    const beginning: RecipientDocument = {
      _id: userId,
      locale: null,
      timezone: null,
      attributes: {},
      devices: [],
      createdAt: now,
      updatedAt: now,
    };
    return this.databases.inService(serviceName, recipients, (collection) =>
      upsert(collection, beginning, [{ $set: { ...fields, updatedAt: NOW } }]),
    );
  }
}

const deviceOf = ({ id, token, platform, createdAt }: Device): Device => ({ id, token, platform, createdAt });

const recipientOf = (serviceName: string, document: RecipientDocument): Recipient => ({
  serviceName,
  userId: document._id,
  email: document.email ?? null,
  phone: document.phone ?? null,
  webhookUrl: document.webhookUrl ?? null,
  locale: document.locale,
  timezone: document.timezone,
  attributes: unpackJson(document.attributes),
  devices: document.devices.map(deviceOf),
  createdAt: document.createdAt,
  updatedAt: document.updatedAt,
});

/** The same token again keeps its place and id, and takes the platform said last. */
const withDevice = (token: string, platform: Platform, maxDevices: number): Record<string, unknown> => {
  const id = new Types.ObjectId().toHexString();
  const added = { id, token: { $literal: token }, platform, createdAt: NOW, registeredAt: NOW };
  const renewed = {
    $map: {
      input: '$devices',
      as: 'one',
      in: {
        $cond: [
          { $eq: ['$$one.token', { $literal: token }] },
          { $mergeObjects: ['$$one', { platform, registeredAt: NOW }] },
          '$$one',
        ],
      },
    },
  };
  const known = { $in: [{ $literal: token }, { $map: { input: '$devices', as: 'one', in: '$$one.token' } }] };
  return {
    devices: { $cond: [known, renewed, { $slice: [{ $concatArrays: ['$devices', [added]] }, -maxDevices] }] },
  };
};
