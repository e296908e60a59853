import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { INBOX_COOKIE } from '#contracts/http/inbox';
import { InvalidToken, NotConfigured, OriginNotAllowed } from '#domain/errors';
import { readerDigest } from '#inbox/reader';
import type { ApiParts } from '../tokens.js';
import { bearerToken } from './presented-key.js';

/** The value of a cookie (RFC 6265, section 5.4); null where there is none. */
export const cookieOf = (headers: IncomingHttpHeaders, name: string): string | null => {
  for (const pair of (headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
};

/** A browser adds a cookie to whatever any page asks: only pages of these origins may use it, and must say so to change anything. */
const requireOrigin = ({ method, headers: { origin } }: FastifyRequest, origins: ReadonlySet<string>): void => {
  if (origin === undefined ? method !== 'GET' : !origins.has(origin)) throw new OriginNotAllowed();
};

/**
 * Lets a reader in who presents an inbox token, as a bearer token or in the cookie, never in the URL.
 * @throws NotConfigured, InvalidToken, TokenExpired; OriginNotAllowed with the cookie alone
 */
export const admitReader = async (
  request: FastifyRequest,
  inbox: ApiParts['inbox'],
  origins: ReadonlySet<string>,
): Promise<void> => {
  if (inbox === null) throw new NotConfigured('the in-app inbox', 'INBOX_TOKEN_SECRET');
  const bearer = bearerToken(request.headers);
  const cookie = bearer === null ? cookieOf(request.headers, INBOX_COOKIE) : null;
  const token = bearer ?? cookie;
  if (token === null) throw new InvalidToken();
  if (cookie !== null) requireOrigin(request, origins);
  const pass = await inbox.tokens.verify(token);
  const actor = `reader:${readerDigest(pass.reader)}`;
  request.pass = pass;
  request.caller = { actor, owner: actor, scopes: new Set(), services: new Set() };
};
