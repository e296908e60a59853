import type { ChannelRules, FieldProblem } from './rules.js';

/** E-mail by SMTP. Addresses are those that people have: no comments, quotes, address literals or display names. */

/** RFC 5321, 4.5.3.1, less the angle brackets of a path. */
const MAX_ADDRESS_LENGTH = 254;
const MAX_LOCAL_LENGTH = 64;
/** RFC 5322, 3.2.3: dot-atom. */
const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
/** Labels of letters, digits and hyphens (RFC 1123, 2.1), at least two, the last one not a number. */
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** What a URL parser would drop, decode or take for the end of the host, instead of refusing it. */
const NOT_IN_DOMAIN = /[\s%/\\?#:@[\]]/;
const CONTROL = /\p{Cc}/u;

/** The domain in lower case and, where it is an international one, in its ASCII form (IDNA); null if it is none. */
const asciiDomain = (domain: string): string | null => {
  if (domain === '' || NOT_IN_DOMAIN.test(domain) || CONTROL.test(domain)) return null;
  const url = URL.parse(`http://${domain}`);
  return url !== null && DOMAIN.test(url.hostname) && url.hostname.length <= 253 ? url.hostname : null;
};

/** The address with its domain in ASCII and lower case; the local part is the receiving host's and stays. Null if it is no address. */
export const normaliseAddress = (address: string): string | null => {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  if (at < 1 || local.length > MAX_LOCAL_LENGTH || !LOCAL.test(local)) return null;
  const domain = asciiDomain(address.slice(at + 1));
  if (domain === null) return null;
  const normal = `${local}@${domain}`;
  return normal.length <= MAX_ADDRESS_LENGTH ? normal : null;
};

const checkTitle = (title: string | null): FieldProblem[] => {
  if (title === null || title.trim() === '') {
    return [{ path: ['title'], code: 'title_required', message: 'is required: it is the subject of the e-mail' }];
  }
  // A line break in a subject would start another header.
  if (CONTROL.test(title)) {
    return [{ path: ['title'], code: 'invalid_title', message: 'must be one line without control characters' }];
  }
  return [];
};

export const emailRules: ChannelRules = {
  channel: 'email',

  checkTarget: (target) =>
    normaliseAddress(target) === null
      ? { path: [], code: 'invalid_email', message: 'must be an e-mail address' }
      : null,

  normaliseTarget: (target) => normaliseAddress(target) ?? target,

  maskTarget: (target) => {
    const at = target.lastIndexOf('@');
    return at < 1 ? '…' : `${target.slice(0, 1)}…${target.slice(at)}`;
  },

  checkContent: ({ title }) => checkTitle(title),
};
