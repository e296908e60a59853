import type { IncomingHttpHeaders } from 'node:http';

const BEARER = /^Bearer +(\S+)$/i;

/** The API key that a request presents: as a bearer token or, failing that, as X-API-Key. */
export const presentedKey = (headers: IncomingHttpHeaders): string | null => {
  const [, token] = BEARER.exec(headers.authorization ?? '') ?? [];
  if (token !== undefined) return token;
  const header = headers['x-api-key'];
  return typeof header === 'string' ? header : null;
};
