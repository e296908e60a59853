import { describe, expect, it } from '@jest/globals';
import { MAX_PUSH_BYTES, pushPayload, pushRules } from './push.js';
import type { Content } from './rules.js';

const content = (over: Partial<Content> = {}): Content => ({
  title: 'Insulin',
  body: 'Now',
  html: null,
  data: {},
  ...over,
});
const codes = (over: Partial<Content>): [string, string][] =>
  pushRules.checkContent(content(over)).map(({ path, code }) => [path.join('/'), code]);
const ids = { notificationId: '66f1c0de9a1b2c3d4e5f6071', deliveryId: '66f1c0de9a1b2c3d4e5f6071-20' };

describe('push', () => {
  it.each(['bk3RNwTe3H0:CI2k_HHwgIpoDKCIZvvDMExUdFQ3P1-x8Qz', 't', 'a'.repeat(4096)])('takes the token %s', (token) => {
    expect(pushRules.checkTarget(token)).toBeNull();
    expect(pushRules.normaliseTarget(token)).toBe(token);
  });

  it.each(['', ' ', 'a b', 'a\n', 'é', '<token>', 'a'.repeat(4097)])('refuses the token %j', (token) => {
    expect(pushRules.checkTarget(token)).toMatchObject({ path: [], code: 'invalid_token' });
  });

  it.each([
    ['bk3RNwTe3H0:CI2k-x8Qz', '…x8Qz'],
    ['abcdef', '…ef'],
    ['ab', '…'],
  ])('shows %s as %s', (token, shown) => {
    expect(pushRules.maskTarget(token)).toBe(shown);
  });

  it.each([
    'from',
    'message_type',
    'collapse_key',
    'google',
    'google.c.id',
    'gcm.notification.title',
    'notificationId',
    'deliveryId',
  ])('refuses the data key %s', (key) => {
    expect(codes({ data: { [key]: 'x', fine: 'y' } })).toEqual([[`data/${key}`, 'reserved_key']]);
  });

  it.each(['From', 'forgoogle', 'title', 'notification'])('takes the data key %s', (key) => {
    expect(codes({ data: { [key]: 'x' } })).toEqual([]);
  });

  it('refuses HTML', () => {
    expect(codes({ html: '<p>Now</p>' })).toEqual([['html', 'html_not_supported']]);
  });

  it('names every problem at once', () => {
    expect(codes({ html: 'x', body: 'x'.repeat(5000), data: { from: 1, gcm: 2 } })).toEqual([
      ['html', 'html_not_supported'],
      ['data/from', 'reserved_key'],
      ['data/gcm', 'reserved_key'],
      ['', 'payload_too_large'],
    ]);
  });

  it('makes strings of data, and adds the ids', () => {
    const data = { s: 'text', n: 1, b: false, nothing: null, o: { a: [1] } };
    expect(pushPayload(content({ data }), ids)).toEqual({
      notification: { title: 'Insulin', body: 'Now' },
      data: { s: 'text', n: '1', b: 'false', nothing: 'null', o: '{"a":[1]}', ...ids },
    });
    expect(pushPayload(content({ title: null }), ids).notification).toEqual({ body: 'Now' });
  });

  it('measures bytes as they are sent, with the longest ids', () => {
    const room = MAX_PUSH_BYTES - JSON.stringify(pushPayload(content({ body: '' }), ids)).length;
    expect(codes({ body: 'x'.repeat(room) })).toEqual([]);
    expect(codes({ body: 'x'.repeat(room + 1) })).toEqual([['', 'payload_too_large']]);
    expect(codes({ body: 'é'.repeat(Math.floor(room / 2) + 1) })).toEqual([['', 'payload_too_large']]);
    expect(codes({ data: { list: Array.from({ length: 600 }, () => 'abcdef') } })).toEqual([['', 'payload_too_large']]);
  });
});
