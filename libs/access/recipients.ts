import type { CreateDevice, PutRecipient } from '#contracts/http/recipients';
import type { FieldError } from '#contracts/problems';
import type { Channel } from '#contracts/vocabulary';
import type { Caller } from '#domain/caller';
import { CHANNEL_RULES } from '#domain/channels/channels';
import { NotFound, ValidationFailed } from '#domain/errors';
import type { Device, Recipient, RecipientProfile, RecipientStore } from './ports.js';

const WHAT = 'recipient';

const isTimezone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
};

const requireVisible = (caller: Caller, serviceName: string): void => {
  if (!caller.services.has(serviceName)) throw new NotFound(WHAT);
};

/** Collects what is wrong with targets, and writes those that are right in their one spelling. */
class TargetCheck {
  readonly errors: FieldError[] = [];

  /** @param country of phone numbers without one */
  normal(channel: Channel, target: string, field: string, country?: string): string {
    const rules = CHANNEL_RULES[channel];
    const wrong = rules.checkTarget(target, country);
    if (wrong === null) return rules.normaliseTarget(target, country);
    this.errors.push({ in: 'body', field, code: wrong.code, message: wrong.message });
    return target;
  }
}

const profileOf = (input: PutRecipient, country: string | undefined): RecipientProfile => {
  const check = new TargetCheck();
  const profile: RecipientProfile = {
    email: input.email == null ? null : check.normal('email', input.email, '/email'),
    phone: input.phone == null ? null : check.normal('sms', input.phone, '/phone', country),
    webhookUrl: input.webhookUrl == null ? null : check.normal('webhook', input.webhookUrl, '/webhookUrl'),
    locale: input.locale ?? null,
    timezone: input.timezone ?? null,
    attributes: input.attributes,
  };
  if (profile.timezone !== null && !isTimezone(profile.timezone))
    check.errors.push({
      in: 'body',
      field: '/timezone',
      code: 'invalid_timezone',
      message: 'must be a time zone of the IANA database, such as Africa/Abidjan',
    });
  if (check.errors.length > 0) throw new ValidationFailed(check.errors);
  return profile;
};

/** The people that a service sends to, and their devices. In a service that the caller may not use there are none. */
export class Recipients {
  constructor(
    private readonly store: RecipientStore,
    /** Of a service's phone numbers without one. */
    private readonly countryOf: (serviceName: string) => string | undefined,
  ) {}

  /** @throws NotFound */
  async get(caller: Caller, serviceName: string, userId: string): Promise<Recipient> {
    requireVisible(caller, serviceName);
    const recipient = await this.store.get(serviceName, userId);
    if (recipient === null) throw new NotFound(WHAT);
    return recipient;
  }

  /** @throws NotFound for the service, ValidationFailed */
  async put(caller: Caller, serviceName: string, userId: string, input: PutRecipient): Promise<Recipient> {
    requireVisible(caller, serviceName);
    return this.store.put(serviceName, userId, profileOf(input, this.countryOf(serviceName)));
  }

  /** @throws NotFound */
  async delete(caller: Caller, serviceName: string, userId: string): Promise<void> {
    requireVisible(caller, serviceName);
    if (!(await this.store.delete(serviceName, userId))) throw new NotFound(WHAT);
  }

  /** @throws NotFound for the service, ValidationFailed */
  async addDevice(caller: Caller, serviceName: string, userId: string, input: CreateDevice): Promise<Device> {
    requireVisible(caller, serviceName);
    const check = new TargetCheck();
    const token = check.normal('push', input.token, '/token');
    if (check.errors.length > 0) throw new ValidationFailed(check.errors);
    return this.store.addDevice(serviceName, userId, token, input.platform);
  }

  /** @throws NotFound */
  async removeDevice(caller: Caller, serviceName: string, userId: string, deviceId: string): Promise<void> {
    requireVisible(caller, serviceName);
    if (!(await this.store.removeDevice(serviceName, userId, deviceId))) throw new NotFound('device');
  }
}
