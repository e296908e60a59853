import { describe, expect, it } from '@jest/globals';
import { inAppRules, MAX_IN_APP_BYTES } from './in-app.js';
import type { Content } from './rules.js';

const content = (over: Partial<Content> = {}): Content => ({
  title: 'Insulin',
  body: 'Now',
  html: null,
  data: {},
  ...over,
});
const codes = (over: Partial<Content>): [string, string][] =>
  inAppRules.checkContent(content(over)).map(({ path, code }) => [path.join('/'), code]);

describe('in-app', () => {
  it.each(['p-1042', 'ada@example.org', 'a', 'a'.repeat(128)])('takes the user id %s', (id) => {
    expect(inAppRules.checkTarget(id)).toBeNull();
    expect(inAppRules.normaliseTarget(id)).toBe(id);
  });

  it.each(['', ' ', 'a b', 'é', 'a/b', 'a'.repeat(129)])('refuses the user id %j', (id) => {
    expect(inAppRules.checkTarget(id)).toMatchObject({ path: [], code: 'invalid_user_id' });
  });

  it.each([
    ['p-1042', '…42'],
    ['ada@example.org', '….org'],
    ['p', '…'],
  ])('shows %s as %s', (id, shown) => {
    expect(inAppRules.maskTarget(id)).toBe(shown);
  });

  it('measures bytes of JSON', () => {
    const room = MAX_IN_APP_BYTES - JSON.stringify({ title: 'Insulin', body: '', data: {} }).length;
    expect(codes({ body: 'x'.repeat(room) })).toEqual([]);
    expect(codes({ body: 'x'.repeat(room + 1) })).toEqual([['', 'payload_too_large']]);
    expect(codes({ body: 'é'.repeat(Math.floor(room / 2) + 1) })).toEqual([['', 'payload_too_large']]);
  });

  it('names every problem at once', () => {
    expect(codes({ html: '<p>Now</p>', data: { long: 'x'.repeat(MAX_IN_APP_BYTES) } })).toEqual([
      ['html', 'html_not_supported'],
      ['', 'payload_too_large'],
    ]);
  });
});
