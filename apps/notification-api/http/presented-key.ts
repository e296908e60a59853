import type { IncomingHttpHeaders } from 'node:http';

const BEARER = /^Bearer +(\S+)$/i;

/** The token of `Authorization: Bearer` (RFC 6750). */
export const bearerToken = (headers: IncomingHttpHeaders): string | null =>
  BEARER.exec(headers.authorization ?? '')?.[1] ?? null;

/** The API key that a request presents: as a bearer token or, failing that, as X-API-Key. */
export const presentedKey = (headers: IncomingHttpHeaders): string | null => {
  const token = bearerToken(headers);
  if (token !== null) return token;
  const header = headers['x-api-key'];
  return typeof header === 'string' ? header : null;
};
