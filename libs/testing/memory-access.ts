import type {
  ApiKey,
  Device,
  IdempotencyRecords,
  Invalidations,
  KeyStore,
  Recipient,
  RecipientProfile,
  RecipientStore,
} from '#access/ports';
import type { Platform } from '#contracts/vocabulary';

type Place = { createdAt: Date; id: string };

/** Newest first, by (createdAt, id). */
export const newestFirst = (a: Place, b: Place): number =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

/** In-memory twins of the ports of access. */
export class MemoryKeyStore implements KeyStore {
  readonly keys = new Map<string, ApiKey>();
  /** Look-ups by id, to see what a cache saves. */
  finds = 0;
  down = false;

  insert(key: ApiKey): Promise<void> {
    this.keys.set(key.id, key);
    return Promise.resolve();
  }

  find(id: string): Promise<ApiKey | null> {
    this.finds += 1;
    return this.down ? Promise.reject(new Error('the store is down')) : Promise.resolve(this.keys.get(id) ?? null);
  }

  page(limit: number, after: Place | null): Promise<ApiKey[]> {
    const keys = [...this.keys.values()].sort(newestFirst);
    return Promise.resolve(keys.filter((key) => after === null || newestFirst(after, key) < 0).slice(0, limit));
  }

  revoke(id: string, at: Date): Promise<boolean> {
    const key = this.keys.get(id);
    if (key !== undefined) this.keys.set(id, { ...key, revokedAt: key.revokedAt ?? at });
    return Promise.resolve(key !== undefined);
  }

  expireAt(id: string, at: Date): Promise<ApiKey | null> {
    const key = this.keys.get(id);
    if (key === undefined || key.revokedAt !== null) return Promise.resolve(null);
    const changed = { ...key, expiresAt: key.expiresAt !== null && key.expiresAt < at ? key.expiresAt : at };
    this.keys.set(id, changed);
    return Promise.resolve(changed);
  }
}

export class RecordingInvalidations implements Invalidations {
  readonly published: { cache: string; key: string | null }[] = [];

  publish(cache: string, key: string | null): void {
    this.published.push({ cache, key });
  }
}

export class MemoryRecipientStore implements RecipientStore {
  readonly recipients = new Map<string, Recipient>();
  private devices = 0;

  constructor(private readonly now: () => Date = () => new Date()) {}

  get(serviceName: string, userId: string): Promise<Recipient | null> {
    return Promise.resolve(this.recipients.get(`${serviceName}/${userId}`) ?? null);
  }

  put(serviceName: string, userId: string, profile: RecipientProfile): Promise<Recipient> {
    return Promise.resolve(this.write(serviceName, userId, profile));
  }

  delete(serviceName: string, userId: string): Promise<boolean> {
    return Promise.resolve(this.recipients.delete(`${serviceName}/${userId}`));
  }

  addDevice(serviceName: string, userId: string, token: string, platform: Platform): Promise<Device> {
    for (const recipient of this.recipients.values())
      if (recipient.serviceName === serviceName && recipient.userId !== userId)
        recipient.devices = recipient.devices.filter((device) => device.token !== token);
    const recipient = this.write(serviceName, userId, {});
    const same = recipient.devices.find((device) => device.token === token);
    if (same !== undefined) return Promise.resolve(same);
    this.devices += 1;
    const device = { id: this.devices.toString(16).padStart(24, '0'), token, platform, createdAt: this.now() };
    recipient.devices.push(device);
    return Promise.resolve(device);
  }

  removeDevice(serviceName: string, userId: string, deviceId: string): Promise<boolean> {
    const recipient = this.recipients.get(`${serviceName}/${userId}`);
    if (recipient === undefined) return Promise.resolve(false);
    const kept = recipient.devices.filter((device) => device.id !== deviceId);
    const removed = kept.length < recipient.devices.length;
    recipient.devices = kept;
    return Promise.resolve(removed);
  }

  private write(serviceName: string, userId: string, profile: Partial<RecipientProfile>): Recipient {
    const now = this.now();
    const empty = { email: null, phone: null, webhookUrl: null, locale: null, timezone: null, attributes: {} };
    const before = this.recipients.get(`${serviceName}/${userId}`);
    const recipient: Recipient = {
      ...(before ?? { ...empty, serviceName, userId, devices: [], createdAt: now }),
      ...profile,
      updatedAt: now,
    };
    this.recipients.set(`${serviceName}/${userId}`, recipient);
    return recipient;
  }
}

type Kept = { fingerprint: string; answer: { status: number; body: unknown } | null };

export class MemoryIdempotencyRecords implements IdempotencyRecords {
  readonly kept = new Map<string, Kept>();

  begin(scope: string, fingerprint: string): ReturnType<IdempotencyRecords['begin']> {
    const kept = this.kept.get(scope);
    if (kept === undefined) {
      this.kept.set(scope, { fingerprint, answer: null });
      return Promise.resolve({ kind: 'begun' });
    }
    if (kept.fingerprint !== fingerprint) return Promise.resolve({ kind: 'reused' });
    return Promise.resolve(kept.answer === null ? { kind: 'in_use' } : { kind: 'replay', ...kept.answer });
  }

  complete(scope: string, status: number, body: unknown): Promise<void> {
    const kept = this.kept.get(scope);
    if (kept !== undefined) kept.answer = { status, body };
    return Promise.resolve();
  }

  release(scope: string): Promise<void> {
    this.kept.delete(scope);
    return Promise.resolve();
  }
}
