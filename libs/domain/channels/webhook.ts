import { htmlRefused, type ChannelRules, type Content, type FieldProblem } from './rules.js';

/** A signed POST to a URL. Which addresses it may reach is decided when it is sent: names change what they point to. */

const MAX_URL_LENGTH = 2048;
/** Bytes of title, body and data as JSON; receivers seldom take more. */
export const MAX_WEBHOOK_BYTES = 256 * 1024;
/** A URL parser would drop or turn these instead of refusing them. */
const NOT_IN_URL = /[\s\p{Cc}\\]/u;

const parseTarget = (target: string): URL | null => {
  if (target.length > MAX_URL_LENGTH || NOT_IN_URL.test(target) || !/^https?:\/\/[^/?#]/i.test(target)) return null;
  const url = URL.parse(target);
  return url === null || url.username !== '' || url.password !== '' || target.includes('#') ? null : url;
};

const encoder = new TextEncoder();

const checkSize = ({ title, body, data }: Content): FieldProblem[] =>
  encoder.encode(JSON.stringify({ title, body, data })).length <= MAX_WEBHOOK_BYTES
    ? []
    : [
        {
          path: [],
          code: 'payload_too_large',
          message: `title, body and data of a webhook must fit in ${MAX_WEBHOOK_BYTES / 1024} KiB together, as JSON`,
        },
      ];

export const webhookRules: ChannelRules = {
  channel: 'webhook',

  checkTarget: (target) =>
    parseTarget(target) === null
      ? {
          path: [],
          code: 'invalid_url',
          message: `must be an http or https URL of at most ${MAX_URL_LENGTH} characters, without user, password or fragment`,
        }
      : null,

  normaliseTarget: (target) => parseTarget(target)?.href ?? target,

  // Path and query often hold the receiver's secret.
  maskTarget: (target) => {
    const url = parseTarget(target);
    return url === null ? '…' : `${url.protocol}//${url.host}/…`;
  },

  checkContent: (content) => [...htmlRefused(content), ...checkSize(content)],
};
