import { createHmac } from 'node:crypto';

/**
 * The value of `webhook-signature`: one signature per key, so that receivers can change to a new secret in their time.
 * @param id value of `webhook-id`
 * @param timestamp value of `webhook-timestamp`, in seconds
 * @see https://www.standardwebhooks.com
 */
export const sign = (keys: readonly Buffer[], id: string, timestamp: string, body: string): string =>
  keys.map((key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`).join(' ');
