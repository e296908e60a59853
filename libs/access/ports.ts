import type { Platform, Scope } from '#contracts/vocabulary';

export type { Invalidations } from '#domain/invalidations';

export interface ApiKey {
  id: string;
  owner: string;
  scopes: Scope[];
  services: string[];
  /** SHA-256 of the secret part, hex. */
  hash: string;
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
}

export interface KeyStore {
  insert(key: ApiKey): Promise<void>;
  find(id: string): Promise<ApiKey | null>;
  /** Newest first, after a place in that order. */
  page(limit: number, after: { createdAt: Date; id: string } | null): Promise<ApiKey[]>;
  /** False when there is no such key; an earlier end stays. */
  revoke(id: string, at: Date): Promise<boolean>;
  /** Brings the end of validity forward; null when there is no such key or it is revoked. */
  expireAt(id: string, at: Date): Promise<ApiKey | null>;
}

export interface RecipientProfile {
  email: string | null;
  /** E.164. */
  phone: string | null;
  webhookUrl: string | null;
  locale: string | null;
  timezone: string | null;
  attributes: Record<string, unknown>;
}

export interface Device {
  id: string;
  token: string;
  platform: Platform;
  createdAt: Date;
}

export interface Recipient extends RecipientProfile {
  serviceName: string;
  userId: string;
  devices: Device[];
  createdAt: Date;
  updatedAt: Date;
}

/** At most this many devices of one recipient; the oldest gives way. */
export const MAX_DEVICES = 20;

export interface RecipientStore {
  get(serviceName: string, userId: string): Promise<Recipient | null>;
  /** Creates or replaces the profile; devices stay. */
  put(serviceName: string, userId: string, profile: RecipientProfile): Promise<Recipient>;
  delete(serviceName: string, userId: string): Promise<boolean>;
  /** The same token twice is one device; a token moves to the user who registered it last. Makes the recipient if need be. */
  addDevice(serviceName: string, userId: string, token: string, platform: Platform): Promise<Device>;
  removeDevice(serviceName: string, userId: string, deviceId: string): Promise<boolean>;
}

/** Answers kept for operations that create nothing with a unique index of its own. */
export interface IdempotencyRecords {
  /**
   * Takes the scope for this request, for at most a minute until it is completed. `replay` holds the answer kept;
   * `in_use` that another request has it right now.
   */
  begin(
    scope: string,
    fingerprint: string,
  ): Promise<
    { kind: 'begun' } | { kind: 'replay'; status: number; body: unknown } | { kind: 'in_use' } | { kind: 'reused' }
  >;
  /** Keeps the answer of a 2xx, for at least 24 hours. */
  complete(scope: string, status: number, body: unknown): Promise<void>;
  /** Any other answer frees the key. */
  release(scope: string): Promise<void>;
}
