import { describe, expect, it } from '@jest/globals';
import { CHANNELS } from '#contracts/vocabulary';
import { CHANNEL_RULES } from './channels.js';
import { MAX_WEBHOOK_BYTES, webhookRules } from './webhook.js';

const codes = (over: { html?: string; body?: string }): string[] =>
  webhookRules
    .checkContent({ title: null, body: 'Now', html: null, data: {}, ...over })
    .map(({ path, code }) => `${path.join('/')} ${code}`);

describe('webhook', () => {
  it.each([
    ['https://example.org', 'https://example.org/'],
    ['http://example.org:8080/hook?key=1', 'http://example.org:8080/hook?key=1'],
    ['HTTPS://Example.ORG:443/Hook', 'https://example.org/Hook'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/'],
    ['https://[2001:db8::1]/', 'https://[2001:db8::1]/'],
    // Odd notations become plain addresses, which the guard of outgoing requests judges.
    ['http://0x7f.1/', 'http://127.0.0.1/'],
    ['http://2130706433/', 'http://127.0.0.1/'],
  ])('takes %s, and writes it %s', (url, normal) => {
    expect(webhookRules.checkTarget(url)).toBeNull();
    expect(webhookRules.normaliseTarget(url)).toBe(normal);
    expect(webhookRules.normaliseTarget(normal)).toBe(normal);
  });

  it.each([
    '',
    'example.org',
    '//example.org',
    'https:example.org',
    'https:///example.org',
    'https://',
    'https://?x',
    'https://#x',
    'ftp://example.org/',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'https://user@example.org/',
    'https://user:secret@example.org/',
    'https://:secret@example.org/',
    'https://example.org/#part',
    'https://example.org/#',
    'https://example.org\\@internal/',
    ' https://example.org/',
    'https://example.org/a b',
    'https://example.org/\r\nX: y',
    'https://exam\tple.org/',
    'https://example.org:99999/',
    'https://[::1/',
    'https://a..b:x/',
    `https://example.org/${'x'.repeat(2048)}`,
  ])('refuses %j', (url) => {
    expect(webhookRules.checkTarget(url)).toMatchObject({ path: [], code: 'invalid_url' });
    expect(webhookRules.normaliseTarget(url)).toBe(url);
  });

  it.each([
    ['https://example.org:8443/hook/secret?token=abc', 'https://example.org:8443/…'],
    ['nonsense', '…'],
  ])('shows %s as %s', (url, shown) => {
    expect(webhookRules.maskTarget(url)).toBe(shown);
  });

  it('refuses HTML, and more than its receivers take', () => {
    expect(codes({})).toEqual([]);
    expect(codes({ html: '<p>Now</p>' })).toEqual(['html html_not_supported']);
    expect(codes({ body: 'x'.repeat(MAX_WEBHOOK_BYTES) })).toEqual([' payload_too_large']);
  });
});

describe('the table of channels', () => {
  it.each(CHANNELS)('has the rules of %s under its name', (channel) => {
    expect(CHANNEL_RULES[channel].channel).toBe(channel);
  });
});
