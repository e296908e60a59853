import type { CreateKey, RotateKey } from '#contracts/http/keys';
import type { Scope } from '#contracts/vocabulary';
import type { Caller } from '#domain/caller';
import {
  Conflict,
  InsufficientScope,
  InvalidTransition,
  NotFound,
  ServiceNotAllowed,
  Unauthorized,
  ValidationFailed,
} from '#domain/errors';
import { Cursors, type Page, pageOf } from '#paging/cursor';
import { KeyCache, type KeyCacheOptions, type KnownKey } from './key-cache.js';
import type { ApiKey, Invalidations, KeyStore } from './ports.js';
import { formatKey, hashSecret, matchesHash, newKeyId, newSecret, parseKey } from './secret.js';

export interface KeysParts {
  store: KeyStore;
  invalidations: Invalidations;
  now: () => Date;
  cache: Pick<KeyCacheOptions, 'ttlMs'> & Partial<KeyCacheOptions>;
}

/** A key together with its text, which exists nowhere else and never again. */
export interface IssuedKey {
  key: ApiKey;
  text: string;
}

/** The name of the cache in messages between processes. */
export const KEYS_CACHE = 'keys';

const isSubset = <T>(some: readonly T[], of: ReadonlySet<T>): boolean => some.every((one) => of.has(one));

const knownKey = (key: ApiKey): KnownKey => ({
  key,
  hash: Buffer.from(key.hash, 'hex'),
  caller: {
    actor: `key:${key.id}`,
    owner: key.owner,
    scopes: new Set(key.scopes),
    services: new Set(key.services),
  },
});

/** API keys: who presents one, and their making and ending. Nobody gives a key more than they have themselves. */
export class Keys {
  private readonly cache: KeyCache;

  constructor(private readonly parts: KeysParts) {
    this.cache = new KeyCache(async (id) => {
      const key = await parts.store.find(id);
      return key === null ? null : knownKey(key);
    }, parts.cache);
  }

  /** @throws Unauthorized, Unavailable, RateLimited */
  async authenticate(presented: string): Promise<Caller> {
    const parsed = parseKey(presented);
    if (parsed === null) throw new Unauthorized();
    const known = this.cache.peek(parsed.id) ?? (await this.cache.get(parsed.id));
    if (known === null || !matchesHash(parsed.secret, known.hash) || !this.isValid(known.key)) throw new Unauthorized();
    return known.caller;
  }

  /** Another process has changed this key, or (null) nobody knows which. */
  invalidate(id: string | null): void {
    this.cache.forget(id);
  }

  /** The first keys, made by whoever runs the platform: no caller limits what they may do. */
  async issue(input: CreateKey): Promise<IssuedKey> {
    const now = this.parts.now();
    const expiresAt = input.expiresAt == null ? null : new Date(input.expiresAt);
    if (expiresAt !== null && expiresAt <= now)
      throw new ValidationFailed([
        { in: 'body', field: '/expiresAt', code: 'in_the_past', message: 'must be in the future' },
      ]);
    const secret = newSecret();
    const key: ApiKey = {
      id: newKeyId(),
      owner: input.owner,
      scopes: [...new Set(input.scopes)],
      services: [...new Set(input.services)],
      hash: hashSecret(secret),
      createdAt: now,
      expiresAt,
      revokedAt: null,
    };
    await this.parts.store.insert(key);
    this.changed(key.id);
    return { key, text: formatKey(key.id, secret) };
  }

  /** @throws ServiceNotAllowed, InsufficientScope, ValidationFailed */
  async create(caller: Caller, input: CreateKey): Promise<IssuedKey> {
    requireOwn(caller, input);
    return this.issue(input);
  }

  /**
   * A successor of the same owner, scopes and services; the old key ends after the grace.
   * @throws NotFound, InsufficientScope, InvalidTransition when the key is no longer valid, Conflict, ValidationFailed
   */
  async rotate(caller: Caller, id: string, input: RotateKey): Promise<IssuedKey> {
    const old = await this.visible(caller, id);
    if (!this.isValid(old)) throw new InvalidTransition(null, [], 'the key has ended: create a new one');
    requireOwn(caller, old);
    const { owner, scopes, services } = old;
    const successor = await this.issue({ owner, scopes, services, expiresAt: input.expiresAt });
    const end = new Date(this.parts.now().getTime() + input.graceSeconds * 1000);
    const ended = await this.parts.store.expireAt(id, end);
    this.changed(id);
    if (ended === null) {
      await this.end(successor.key.id);
      throw new Conflict();
    }
    return successor;
  }

  /** At once; one that has ended already stays ended. @throws NotFound */
  async revoke(caller: Caller, id: string): Promise<void> {
    await this.visible(caller, id);
    await this.end(id);
  }

  /** Keys whose services the caller may all use, newest first. @throws InvalidCursor */
  async list(caller: Caller, query: { limit: number; cursor?: string | undefined }): Promise<Page<ApiKey>> {
    const cursors = new Cursors('keys', {});
    const rows: ApiKey[] = [];
    let after = cursors.time(query.cursor);
    while (rows.length <= query.limit) {
      const found = await this.parts.store.page(query.limit + 1, after);
      rows.push(...found.filter((key) => isSubset(key.services, caller.services)));
      const last = found.at(-1);
      if (last === undefined || found.length <= query.limit) break;
      after = last;
    }
    return pageOf(rows, query.limit, (last) => cursors.ofTime(last));
  }

  private async visible(caller: Caller, id: string): Promise<ApiKey> {
    const key = await this.parts.store.find(id);
    if (key === null || !isSubset(key.services, caller.services)) throw new NotFound('key');
    return key;
  }

  private isValid(key: ApiKey): boolean {
    const now = this.parts.now();
    return (key.expiresAt === null || key.expiresAt > now) && (key.revokedAt === null || key.revokedAt > now);
  }

  private async end(id: string): Promise<void> {
    if (!(await this.parts.store.revoke(id, this.parts.now()))) throw new NotFound('key');
    this.changed(id);
  }

  private changed(id: string): void {
    this.cache.forget(id);
    this.parts.invalidations.publish(KEYS_CACHE, id);
  }
}

const requireOwn = (caller: Caller, wanted: { scopes: readonly Scope[]; services: readonly string[] }): void => {
  if (!isSubset(wanted.services, caller.services)) throw new ServiceNotAllowed();
  const missing = wanted.scopes.filter((scope) => !caller.scopes.has(scope));
  if (missing.length > 0) throw new InsufficientScope(missing);
};
