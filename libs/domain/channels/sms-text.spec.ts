import { describe, expect, it } from '@jest/globals';
import { smsParts } from './sms-text.js';

const of = (text: string): string => {
  const { encoding, segments } = smsParts(text);
  return `${segments} ${encoding}`;
};

describe('a text by SMS', () => {
  it.each([
    ['Insulin at 8:00', 'gsm-7'],
    ['Rappel à 8h: é è ù ì ò Ç Ø ß Ü ñ £ ¥ § ¿ Δ Ω\r\n', 'gsm-7'],
    ['5 € [a] {b} ~ | ^ \\', 'gsm-7'],
    ['Reçu', 'ucs-2'],
    ['Bon appétit ê', 'ucs-2'],
    ['`', 'ucs-2'],
    ['8:00 ☎', 'ucs-2'],
    ['💊', 'ucs-2'],
    ['\t', 'ucs-2'],
  ])('%j is in %s', (text, encoding) => {
    expect(smsParts(text)).toEqual({ encoding, segments: 1 });
  });

  it('knows all 128 places of the GSM alphabet but the escape, and no more of Unicode', () => {
    const known = Array.from({ length: 0xd800 }, (_, code) => String.fromCharCode(code)).filter(
      (character) => smsParts(character).encoding === 'gsm-7',
    );
    expect(known).toHaveLength(127 + 10);
  });

  it.each([
    ['a', 160, '1 gsm-7'],
    ['a', 161, '2 gsm-7'],
    ['a', 306, '2 gsm-7'],
    ['a', 307, '3 gsm-7'],
    ['€', 80, '1 gsm-7'],
    ['€', 81, '2 gsm-7'],
    // 76 in each part: the 77th would be cut in two.
    ['€', 152, '2 gsm-7'],
    ['€', 153, '3 gsm-7'],
    ['ê', 70, '1 ucs-2'],
    ['ê', 71, '2 ucs-2'],
    ['ê', 134, '2 ucs-2'],
    ['ê', 135, '3 ucs-2'],
    ['💊', 35, '1 ucs-2'],
    ['💊', 36, '2 ucs-2'],
    ['💊', 66, '2 ucs-2'],
    ['💊', 67, '3 ucs-2'],
  ])('%s, %i times, takes %s', (character, times, expected) => {
    expect(of(character.repeat(times))).toBe(expected);
  });
});
