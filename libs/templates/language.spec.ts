import { describe, expect, it } from '@jest/globals';
import { BadTemplate, Budget, readTemplate, RenderRefused, renderText } from './language.js';

const render = (source: string, variables: Record<string, unknown> = {}, html = false): string =>
  renderText(readTemplate(source, html), variables, new Budget(1_000, 1_000));

const refusal = (source: string, variables: Record<string, unknown>): RenderRefused => {
  try {
    render(source, variables);
  } catch (error) {
    if (error instanceof RenderRefused) return error;
    throw error;
  }
  throw new Error('it was rendered');
};

describe('the language of templates', () => {
  it.each([
    ['Take {{dose}} at {{time.hour}}', { dose: 8, time: { hour: '8:00' } }, 'Take 8 at 8:00'],
    ['{{#each doses}}{{@index}}:{{this}}{{#unless @last}}, {{/unless}}{{/each}}', { doses: ['a', 'b'] }, '0:a, 1:b'],
    ['{{#each doses}}{{unit}}{{../name}};{{/each}}', { name: 'x', doses: [{ unit: 1 }, { unit: 2 }] }, '1x;2x;'],
    ['{{#each by}}{{@key}}={{this}} {{/each}}', { by: { a: 1, b: 2 } }, 'a=1 b=2 '],
    ['{{#each none}}x{{else}}none{{/each}}', { none: [] }, 'none'],
    ['{{#if a}}A{{else if b}}B{{else}}C{{/if}}', { b: true }, 'B'],
    ['{{#if list}}some{{else}}none{{/if}}', { list: [] }, 'none'],
    [
      '{{#with person}}{{name}} of {{@root.clinic}}{{/with}}',
      { clinic: 'North', person: { name: 'Ada' } },
      'Ada of North',
    ],
    ['{{!-- a note --}}{{a}}{{{a}}}', { a: '<' }, '<<'],
    ['{{a}}{{b}}', { a: null, b: false }, 'false'],
    ['{{list.[1]}}', { list: ['a', 'b'] }, 'b'],
  ])('renders %s', (source, variables, expected) => {
    expect(render(source, variables)).toBe(expected);
  });

  it('escapes what goes into HTML', () => {
    expect(render('<a href="{{a}}">', { a: `"><script>'&\`=` }, true)).toBe(
      '<a href="&quot;&gt;&lt;script&gt;&#x27;&amp;&#x60;&#x3D;">',
    );
  });

  it.each([
    ['{{name}}', {}, '/name'],
    ['{{person.name}}', { person: {} }, '/person/name'],
    ['{{#each people}}{{name}}{{/each}}', { people: [{ name: 'a' }, {}] }, '/people/1/name'],
    ['{{#each people}}x{{/each}}', {}, '/people'],
    ['{{#with a}}{{b}}{{/with}}', { a: { c: 1 } }, '/a/b'],
  ])('names what is missing in %s', (source, variables, pointer) => {
    expect(refusal(source, variables)).toMatchObject({ pointer, code: 'required' });
  });

  it.each(['constructor', '__proto__', 'toString', 'a.constructor', 'a.b.length.constructor', 'list.map'])(
    'reaches no %s',
    (path) => {
      expect(refusal(`{{${path}}}`, { a: { b: 'x' }, list: [1] })).toMatchObject({ code: 'required' });
    },
  );

  it('shows no objects, and goes through no texts', () => {
    expect(refusal('{{a}}', { a: {} })).toMatchObject({ pointer: '/a', code: 'not_text' });
    expect(refusal('{{#each a}}{{/each}}', { a: 'text' })).toMatchObject({ pointer: '/a', code: 'not_a_list' });
  });

  it.each([
    '{{',
    '{{#if a}}',
    '{{#if a}}{{/each}}',
    '{{> partial}}',
    '{{helper a}}',
    '{{lookup a b}}',
    '{{#custom a}}{{/custom}}',
    '{{#a}}{{/a}}',
    '{{#each a as |b|}}{{/each}}',
    '{{#if (eq a b)}}{{/if}}',
    '{{* decorator}}',
    '{{../a}}',
    '{{@index}}',
    '{{"text"}}',
    '{{a b=1}}',
    '{{#if a}}'.repeat(21) + '{{/if}}'.repeat(21),
    '{{#if a}}'.repeat(500) + '{{/if}}'.repeat(500),
    '{{#if a}}'.repeat(9_000) + '{{/if}}'.repeat(9_000),
  ])('refuses %.40s', (source) => {
    expect(() => readTemplate(source, false)).toThrow(BadTemplate);
  });

  it('says in which line, and never what stands there', () => {
    expect(() => readTemplate('fine\n{{secret x}}', false)).toThrow(/^line 2: the only helpers/);
    expect(() => readTemplate('fine\n{{#if secret}}', false)).toThrow(/^is not a Handlebars template/);
    expect(() => readTemplate('fine\n{{#if secret}}', false)).not.toThrow(/secret/);
  });

  it('refuses unescaped values in HTML', () => {
    expect(() => readTemplate('{{{a}}}', true)).toThrow(BadTemplate);
    expect(() => readTemplate('{{&a}}', true)).toThrow(BadTemplate);
  });

  it('stops loops in loops, and texts without end', () => {
    const list = Array.from({ length: 100 }, (_, index) => index);
    const nested = '{{#each @root.a}}'.repeat(5) + '{{/each}}'.repeat(5);
    expect(refusal(nested, { a: list })).toMatchObject({ pointer: null, code: 'template_too_long' });
    expect(refusal('{{a}}{{a}}', { a: 'x'.repeat(600) })).toMatchObject({ pointer: null, code: 'template_too_long' });
  });

  it('knows which variables it names', () => {
    const { names } = readTemplate('{{a}}{{#each b}}{{c}}{{../d}}{{@root.e}}{{/each}}{{#if f.g}}{{/if}}', false);
    expect([...names].sort()).toEqual(['a', 'b', 'd', 'e', 'f']);
  });
});
