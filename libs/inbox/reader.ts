import { hash } from 'node:crypto';
import type { Reader } from './ports.js';

/** Names a reader on the wire and in logs without telling who it is. */
export const readerDigest = ({ serviceName, tenantId, userId }: Reader): string =>
  hash('sha256', JSON.stringify([serviceName, tenantId, userId]), 'base64url').slice(0, 22);
