import { e164 } from './phone-number.js';
import { htmlRefused, type ChannelRules, type FieldProblem } from './rules.js';
import { smsParts } from './sms-text.js';

/** Text to a phone. Of a notification only its body is sent: an SMS has neither title nor data. */

/** SMS that one text may take: each is billed, and networks refuse, or drop, what is much longer. */
export const MAX_SEGMENTS = 10;

const checkLength = (body: string): FieldProblem[] => {
  const { encoding, segments } = smsParts(body);
  return segments <= MAX_SEGMENTS
    ? []
    : [
        {
          path: ['body'],
          code: 'too_many_segments',
          message: `must fit in ${MAX_SEGMENTS} SMS; in ${encoding}, which its characters need, it takes ${segments}`,
        },
      ];
};

export const smsRules: ChannelRules = {
  channel: 'sms',

  checkTarget: (target, country) =>
    e164(target, country) === null
      ? {
          path: [],
          code: 'invalid_phone_number',
          message:
            country === undefined
              ? 'must be a phone number in use, in international form, such as +2250707123456'
              : `must be a phone number in use, of ${country} or in international form, such as +2250707123456`,
        }
      : null,

  normaliseTarget: (target, country) => e164(target, country) ?? target,

  // The country is no secret, and the last two tell apart the numbers that one person has.
  maskTarget: (target) => (target.length < 9 ? '…' : `${target.slice(0, 4)}…${target.slice(-2)}`),

  checkContent: (content) => [...htmlRefused(content), ...checkLength(content.body)],
};
