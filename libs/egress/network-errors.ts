/** Codes of system and TLS errors at which no connection was made, so that nothing can have been handed over. */

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
]);

/** OpenSSL's and Node's words for a handshake that failed. */
const TLS =
  /^(ERR_TLS|ERR_SSL|CERT_|EPROTO$|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA)/;

/** No such name, refused, no route. */
export const isUnreachable = (code: string): boolean => UNREACHABLE.has(code);

/** Connected, but not to whom the certificate says, or not with TLS at all. */
export const isTlsFailure = (code: string): boolean => TLS.test(code);
