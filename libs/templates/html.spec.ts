import { describe, expect, it } from '@jest/globals';
import { htmlOfMjml, textOfHtml } from './html.js';
import { BadTemplate } from './language.js';

const mjml = (inner: string): string =>
  `<mjml><mj-body><mj-section><mj-column>${inner}</mj-column></mj-section></mj-body></mjml>`;

describe('MJML', () => {
  it('is given up after a while', async () => {
    await expect(htmlOfMjml(mjml('<mj-text>x</mj-text>'), 1)).rejects.toThrow('takes longer than 1 ms');
    expect(await htmlOfMjml(mjml('<mj-text>x</mj-text>'))).toContain('x</div>');
  });

  it('reads no files', async () => {
    const included = await htmlOfMjml(mjml('<mj-include path="./package.json" type="html" /><mj-text>x</mj-text>'));
    expect(included).not.toContain('"carillon"');
  });

  it('that is too deep, or too long as HTML, is refused', async () => {
    const deep = '<mj-wrapper>'.repeat(4_000) + '</mj-wrapper>'.repeat(4_000);
    await expect(htmlOfMjml(`<mjml><mj-body>${deep}</mj-body></mjml>`)).rejects.toThrow(BadTemplate);
    await expect(htmlOfMjml(mjml(`<mj-text>${'x'.repeat(300_000)}</mj-text>`))).rejects.toThrow(BadTemplate);
  });
});

describe('the text part', () => {
  it('keeps what stands in braces as it is, in headings and links too', () => {
    expect(
      textOfHtml('<h1>Hello {{name}}</h1><p>See <a href="{{link}}">{{title}}</a> &lt;now&gt;</p><img src="x">'),
    ).toBe('Hello {{name}}\n\nSee {{title}} ({{link}}) <now>');
  });
});
