import { describe, expect, it } from '@jest/globals';
import { MAX_SEGMENTS, smsRules } from './sms.js';

const problems = (body: string, html: string | null = null): { path: readonly string[]; message: string }[] =>
  smsRules.checkContent({ title: 'Insulin', body, html, data: { rx: 1 } });

describe('sms', () => {
  it('takes numbers of the country it is given, and writes them in one way', () => {
    expect(smsRules.checkTarget('07 07 12 34 56', 'CI')).toBeNull();
    expect(smsRules.normaliseTarget('07 07 12 34 56', 'CI')).toBe('+2250707123456');
    expect(smsRules.normaliseTarget('+225 0707 123456')).toBe('+2250707123456');
  });

  it('without a country takes only international ones', () => {
    expect(smsRules.checkTarget('+2250707123456')).toBeNull();
    expect(smsRules.checkTarget('0707123456')).toEqual({
      path: [],
      code: 'invalid_phone_number',
      message: expect.stringMatching(/^must be .*international form/),
    });
    expect(smsRules.checkTarget('0', 'CI')?.message).toContain('of CI or');
  });

  it.each([
    ['+2250707123456', '+225…56'],
    ['nobody', '…'],
  ])('shows %s as %s', (number, shown) => {
    expect(smsRules.maskTarget(number)).toBe(shown);
  });

  it('refuses what is too long, with the count', () => {
    expect(problems('a'.repeat(153 * MAX_SEGMENTS))).toEqual([]);
    expect(problems('a'.repeat(153 * MAX_SEGMENTS + 1))).toEqual([
      {
        path: ['body'],
        code: 'too_many_segments',
        message: 'must fit in 10 SMS; in gsm-7, which its characters need, it takes 11',
      },
    ]);
    expect(problems('ê'.repeat(67 * 12))[0]?.message).toContain('in ucs-2, which its characters need, it takes 12');
  });

  it('refuses HTML', () => {
    expect(problems('Now', '<p>Now</p>').map(({ path }) => path)).toEqual([['html']]);
  });
});
