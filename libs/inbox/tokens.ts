import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { CreateInboxToken } from '#contracts/http/inbox';
import { ServiceName, TenantId, UserId } from '#contracts/http/primitives';
import type { Caller } from '#domain/caller';
import { InvalidToken, ServiceNotAllowed, TokenExpired } from '#domain/errors';
import type { Reader } from './ports.js';

/** What a token says: who reads, and until when. */
export interface InboxPass {
  reader: Reader;
  expiresAt: Date;
}

export interface InboxTokensParts {
  /** The first signs; all are believed. */
  secrets: readonly string[];
  maxSeconds: number;
  /** Those that exist here. */
  services: readonly string[];
  now: () => Date;
}

const ISSUER = 'carillon';
const AUDIENCE = 'carillon-inbox';
const ALGORITHM = 'HS256';
/** Seconds by which the clocks of two gateways may differ. */
const SKEW_S = 5;
/** Of ours, by far. */
const MAX_LENGTH = 2048;

const Claims = z.object({
  sub: UserId,
  service: ServiceName,
  tenant: TenantId.nullable(),
  exp: z.int(),
});

/**
 * Tokens by which one user reads one inbox: JWTs (RFC 7519), signed, not encrypted, and kept nowhere. Short-lived instead
 * of revocable.
 */
export class InboxTokens {
  private readonly keys: readonly Uint8Array[];

  constructor(private readonly parts: InboxTokensParts) {
    this.keys = parts.secrets.map((secret) => new TextEncoder().encode(secret));
  }

  /** For a user of a service that the caller may use. @throws ServiceNotAllowed */
  async issue(caller: Caller, asked: CreateInboxToken): Promise<{ token: string; expiresAt: Date }> {
    const { serviceName, userId, tenantId, ttlSeconds } = asked;
    const [key] = this.keys;
    if (key === undefined) throw new RangeError('there is no secret to sign with');
    if (!caller.services.has(serviceName)) throw new ServiceNotAllowed();
    const issuedAt = Math.floor(this.parts.now().getTime() / 1000);
    const expiresAt = issuedAt + Math.min(ttlSeconds ?? this.parts.maxSeconds, this.parts.maxSeconds);
    const token = await new SignJWT({ service: serviceName, tenant: tenantId ?? null })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(userId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(key);
    return { token, expiresAt: new Date(expiresAt * 1000) };
  }

  /** @throws InvalidToken, TokenExpired */
  async verify(token: string): Promise<InboxPass> {
    if (token.length > MAX_LENGTH) throw new InvalidToken();
    for (const key of this.keys) {
      const claims = await this.claimsOf(token, key);
      if (claims === null) continue;
      const { sub: userId, service: serviceName, tenant: tenantId, exp } = claims;
      if (!this.parts.services.includes(serviceName)) break;
      return { reader: { serviceName, tenantId, userId }, expiresAt: new Date(exp * 1000) };
    }
    throw new InvalidToken();
  }

  /** Null when it is not signed with this key. */
  private async claimsOf(token: string, key: Uint8Array): Promise<z.output<typeof Claims> | null> {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'iat', 'exp'],
        clockTolerance: SKEW_S,
        currentDate: this.parts.now(),
      });
      return Claims.safeParse(payload).data ?? null;
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) return null;
      if (error instanceof errors.JWTExpired) throw new TokenExpired();
      // What jose says may quote the token.
      throw new InvalidToken();
    }
  }
}
