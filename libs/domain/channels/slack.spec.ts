import { describe, expect, it } from '@jest/globals';
import type { Content } from './rules.js';
import { isWebhookName, slackContent, slackRules, webhookName } from './slack.js';

const problems = (over: Partial<Content>): string[] =>
  slackRules
    .checkContent({ title: 'Insulin', body: 'Now', html: null, data: {}, ...over })
    .map(({ path, code }) => `${path.join('/')} ${code}`);

describe('slack', () => {
  it.each([
    ['C024BE91L', 'C024BE91L', 'C…91L'],
    ['G012AC86C', 'G012AC86C', 'G…86C'],
    ['D0123456789', 'D0123456789', 'D…789'],
    ['U012AB3CD', 'U012AB3CD', 'U…3CD'],
    ['W012A3CDE', 'W012A3CDE', 'W…CDE'],
    ['#Reminders', '#reminders', '#r…'],
    ['#soins-à_domicile', '#soins-à_domicile', '#s…'],
    ['#soins-a\u0300', '#soins-à', '#s…'],
    ['#ops', '#ops', '#…'],
    ['webhook:alerts', 'webhook:alerts', 'webhook:a…'],
  ])('takes %s, writes it %s and shows it as %s', (target, normal, shown) => {
    expect(slackRules.checkTarget(target)).toBeNull();
    expect(slackRules.normaliseTarget(target)).toBe(normal);
    expect(slackRules.normaliseTarget(normal)).toBe(normal);
    expect(slackRules.maskTarget(normal)).toBe(shown);
  });

  it.each([
    '',
    '#',
    'general',
    'c024be91l',
    'C02',
    'X024BE91L',
    '#with space',
    '#a.b',
    '#a\n',
    `#${'x'.repeat(81)}`,
    '@ada',
    'webhook:',
    'webhook:Alerts',
    'webhook:a/b',
    `webhook:${'x'.repeat(65)}`,
    'https://hooks.slack.com/services/T00000000/B00000000/sl4ck',
    'webhook:https://hooks.slack.com/services/T00000000/B00000000/sl4ck',
    'xoxb-17653672481-sl4ck',
  ])('refuses %j, without repeating or showing it', (target) => {
    const problem = slackRules.checkTarget(target);
    expect(problem).toMatchObject({ path: [], code: 'invalid_slack_target' });
    expect(slackRules.normaliseTarget(target)).toBe(target);
    expect(JSON.stringify(problem) + slackRules.maskTarget(target)).not.toContain('sl4ck');
  });

  it('knows which webhook a target names', () => {
    expect(webhookName('webhook:alerts')).toBe('alerts');
    expect(webhookName('#alerts')).toBeNull();
    expect([isWebhookName('alerts'), isWebhookName('Alerts')]).toEqual([true, false]);
  });

  it('makes of title, body, fields and link what Slack shows', () => {
    const data = {
      fields: [
        { title: 'Dose', value: '8 <units>' },
        { title: 'At', value: '8:00' },
      ],
      link: { url: 'https://example.org/rx/9931' },
      rx: '9931',
    };
    expect(slackContent({ title: 'Insulin', body: '<!channel> & *now*', data })).toEqual({
      header: 'Insulin',
      body: '&lt;!channel&gt; &amp; *now*',
      fields: ['*Dose*\n8 &lt;units&gt;', '*At*\n8:00'],
      link: { text: 'Open', url: 'https://example.org/rx/9931' },
    });
    expect(slackContent({ title: ' ', body: 'Now', data: { fields: 'none', link: 7 } })).toEqual({
      header: null,
      body: 'Now',
      fields: [],
      link: null,
    });
    const link = { url: 'http://example.org', text: 'See' };
    expect(slackContent({ title: null, body: 'Now', data: { link } }).link).toEqual(link);
  });

  it('takes as much as Slack does, and no more', () => {
    const field = { title: 'x'.repeat(1_000), value: 'y'.repeat(997) };
    expect(problems({})).toEqual([]);
    expect(problems({ title: null })).toEqual([]);
    expect(problems({ title: 'x'.repeat(150), body: 'x'.repeat(3_000) })).toEqual([]);
    expect(problems({ title: 'x'.repeat(151), body: 'x'.repeat(3_001), html: '<p>' })).toEqual([
      'html html_not_supported',
      'title title_too_long',
      'body body_too_long',
    ]);
    expect(problems({ body: '&'.repeat(601) })).toEqual(['body body_too_long']);
    expect(problems({ body: ' \n' })).toEqual(['body body_required']);
    expect(problems({ data: { fields: Array(10).fill(field) } })).toEqual([]);
    expect(problems({ data: { fields: Array(11).fill(field) } })).toEqual(['data/fields invalid_fields']);
    expect(problems({ data: { fields: [field, { ...field, title: `${field.title}x` }] } })).toEqual([
      'data/fields/1 invalid_fields',
    ]);
    expect(problems({ data: { link: { url: 'https://example.org', text: 'x'.repeat(75) } } })).toEqual([]);
  });

  it.each([{}, null, 'Dose', [['Dose', '8']], [{ title: 'Dose', value: 8 }], [{ title: ' ', value: '8' }]])(
    'refuses the fields %j',
    (fields) => {
      expect(problems({ data: { fields } })).toEqual([expect.stringMatching(/^data\/fields(\/0)? invalid_fields$/)]);
    },
  );

  it.each([
    'https://example.org',
    { text: 'Open' },
    { url: 'javascript:alert(1)' },
    { url: 'https://exam ple.org' },
    { url: 'https://' },
    { url: `https://example.org/${'x'.repeat(3_000)}` },
    { url: 'https://example.org', text: '' },
    { url: 'https://example.org', text: 'x'.repeat(76) },
  ])('refuses the link %j', (link) => {
    expect(problems({ data: { link } })).toEqual(['data/link invalid_link']);
  });
});
