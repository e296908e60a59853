import { describe, expect, it } from '@jest/globals';
import { emailRules } from './email.js';

const codes = (title: string | null, html: string | null = null): string[] =>
  emailRules.checkContent({ title, body: 'Now', html, data: {} }).map(({ path, code }) => `${path.join('/')} ${code}`);

describe('email', () => {
  it.each([
    ['ada@example.org', 'ada@example.org'],
    ['Ada.Lovelace+rx@Example.ORG', 'Ada.Lovelace+rx@example.org'],
    ["o'brien!#$%&*/=?^_`{|}~-@sub.example.co.uk", "o'brien!#$%&*/=?^_`{|}~-@sub.example.co.uk"],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@xn--bcher-kva.example', 'ada@xn--bcher-kva.example'],
    ['ada@3com.example', 'ada@3com.example'],
    [`${'l'.repeat(64)}@example.org`, `${'l'.repeat(64)}@example.org`],
  ])('takes %s, and writes it %s', (address, normal) => {
    expect(emailRules.checkTarget(address)).toBeNull();
    expect(emailRules.normaliseTarget(address)).toBe(normal);
    expect(emailRules.normaliseTarget(normal)).toBe(normal);
  });

  it.each([
    '',
    'ada',
    '@example.org',
    'ada@',
    'ada@localhost',
    'a@b@example.org',
    'ada@example..org',
    'ada@.example.org',
    'ada@example.org.',
    'ada@-example.org',
    'ada@example.123',
    'ada@127.0.0.1',
    'ada@2130706433',
    'ada@[127.0.0.1]',
    'ada@exa_mple.org',
    'ada@example.org:25',
    'ada@example.org/x',
    'ada@ex%61mple.org',
    'ada@example.org#x',
    'ada@example.org?x',
    'ada@exam\tple.org',
    'ada@exa\u0000mple.org',
    ' ada@example.org',
    'ada@example.org ',
    'ada@example.org\r\nBcc: eve@example.org',
    '.ada@example.org',
    'ada.@example.org',
    'a..da@example.org',
    'a da@example.org',
    '"ada"@example.org',
    'Ada <ada@example.org>',
    'ada@example.org,eve@example.org',
    'é@example.org',
    `${'l'.repeat(65)}@example.org`,
    `ada@${'d'.repeat(64)}.org`,
    `${'l'.repeat(64)}@${'d'.repeat(63)}.${'d'.repeat(63)}.${'d'.repeat(63)}.org`,
    `ada@${'d.'.repeat(130)}org`,
  ])('refuses %j', (address) => {
    expect(emailRules.checkTarget(address)).toEqual({
      path: [],
      code: 'invalid_email',
      message: 'must be an e-mail address',
    });
    expect(emailRules.normaliseTarget(address)).toBe(address);
  });

  it.each([
    ['ada@example.org', 'a…@example.org'],
    ['a@example.org', 'a…@example.org'],
    ['nobody', '…'],
  ])('shows %s as %s', (address, shown) => {
    expect(emailRules.maskTarget(address)).toBe(shown);
  });

  it.each([
    [null, ['title title_required']],
    ['  ', ['title title_required']],
    ['Insulin\r\nBcc: eve@example.org', ['title invalid_title']],
    ['Insulin\nnow', ['title invalid_title']],
    ['In\u0000sulin', ['title invalid_title']],
    ['Insulin – 8:00 ☎', []],
  ])('judges the title %j', (title, expected) => {
    expect(codes(title)).toEqual(expected);
  });

  it('takes HTML', () => {
    expect(codes('Insulin', '<p>Now</p>')).toEqual([]);
  });
});
