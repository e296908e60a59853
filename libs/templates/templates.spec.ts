import { beforeEach, describe, expect, it } from '@jest/globals';
import { CreateTemplate, type TemplateBody } from '#contracts/http/templates';
import type { z } from 'zod';
import type { Caller } from '#domain/caller';
import { InvalidTransition, NotFound, ServiceNotAllowed, ValidationFailed } from '#domain/errors';
import { anId } from '#testing/builders';
import { RecordingInvalidations } from '#testing/memory-access';
import { MemoryTemplateStore } from '#testing/memory-templates';
import type { Template } from './ports.js';
import { localesOf, Renderer } from './renderer.js';
import { Templates } from './templates.js';
import { templateView } from './views.js';

const CALLER: Caller = { actor: 'key:1', owner: 'desk', scopes: new Set(), services: new Set(['diabetes']) };
const STRANGER: Caller = { ...CALLER, services: new Set(['wellness']) };
const DOSE = { type: 'object', required: ['dose'], properties: { dose: { type: 'string' } } };
type Input = Partial<z.input<typeof CreateTemplate>>;

describe('Templates', () => {
  let store: MemoryTemplateStore;
  let invalidations: RecordingInvalidations;
  let renderer: Renderer;
  let templates: Templates;
  let clock: number;
  let seen: string[];

  beforeEach(() => {
    clock = Date.UTC(2026, 10, 21);
    seen = [];
    store = new MemoryTemplateStore(() => new Date((clock += 1)));
    invalidations = new RecordingInvalidations();
    renderer = new Renderer({ store, clock: () => clock, onLookUp: (result) => seen.push(result) });
    templates = new Templates({ store, renderer, invalidations, newId: anId, now: () => new Date((clock += 1)) });
  });

  const write = (input: Input = {}): Promise<Template> =>
    templates.create(
      CALLER,
      CreateTemplate.parse({
        name: 'dose',
        channel: 'push',
        content: { title: 'Insulin', body: 'Time for {{dose}}' },
        variables: DOSE,
        ...input,
      }),
    );
  const publish = async (input: Input = {}): Promise<Template> => {
    const { id, name } = await write(input);
    return templates.publish(CALLER, name, id);
  };
  const render = async (over: Partial<Parameters<Renderer['render']>[0]> = {}): Promise<string> => {
    const request = { serviceName: 'diabetes', channel: 'push', name: 'dose', version: null, locale: null } as const;
    return (await renderer.render({ ...request, variables: { dose: '8 units' }, ...over })).body;
  };
  const fields = async (promise: Promise<unknown>): Promise<string[]> => {
    try {
      await promise;
    } catch (error) {
      if (error instanceof ValidationFailed) return error.errors.map(({ field, code }) => `${field} ${code}`);
      throw error;
    }
    throw new Error('it was taken');
  };

  it('numbers versions, and shows the latest published one', async () => {
    expect((await publish()).version).toBe(1);
    expect((await publish({ content: { body: 'Take {{dose}}' } })).version).toBe(2);
    expect((await write({ content: { body: 'Not yet' } })).version).toBe(3);
    expect(await render()).toBe('Take 8 units');
    expect(await render({ version: 1 })).toBe('Time for 8 units');
    expect(await fields(render({ version: 3 }))).toEqual(['/template unknown_template']);
  });

  it('rolls back by publishing an older one', async () => {
    const first = await publish();
    await publish({ content: { body: 'Take {{dose}}' } });
    expect(await render()).toBe('Take 8 units');
    const again = await templates.publish(CALLER, 'dose', first.id);
    expect(await render()).toBe('Time for 8 units');
    expect(again.publishedAt).toEqual(first.publishedAt);
  });

  it('changes and deletes drafts alone', async () => {
    const draft = await write();
    const changed = await templates.update(CALLER, 'dose', draft.id, {
      content: { body: 'Now', data: {} },
      variables: { type: 'object' },
    });
    expect(changed).toMatchObject({ version: 1, content: { body: 'Now', title: null } });
    await templates.publish(CALLER, 'dose', draft.id);
    const input = { content: { body: 'Later', data: {} }, variables: { type: 'object' } };
    await expect(templates.update(CALLER, 'dose', draft.id, input)).rejects.toThrow(InvalidTransition);
    await expect(templates.deleteDraft(CALLER, 'dose', draft.id)).rejects.toThrow(InvalidTransition);
    const other = await write();
    await templates.deleteDraft(CALLER, 'dose', other.id);
    await expect(templates.deleteDraft(CALLER, 'dose', other.id)).rejects.toThrow(NotFound);
  });

  it('shows strangers nothing', async () => {
    const { id } = await write();
    await expect(templates.publish(STRANGER, 'dose', id)).rejects.toThrow(NotFound);
    await expect(templates.publish(CALLER, 'other', id)).rejects.toThrow(NotFound);
    expect((await templates.list(STRANGER, { limit: 10 })).data).toEqual([]);
    await expect(templates.list(STRANGER, { limit: 10, serviceName: 'diabetes' })).rejects.toThrow(ServiceNotAllowed);
    await expect(write({ serviceName: 'wellness' })).rejects.toThrow(ServiceNotAllowed);
  });

  it('falls back from locale to locale', async () => {
    expect(localesOf('fr-ci')).toEqual(['fr-CI', 'fr', 'default']);
    expect(localesOf(null)).toEqual(['default']);
    await publish({ content: { body: 'en {{dose}}' } });
    await publish({ locale: 'fr', content: { body: 'fr {{dose}}' } });
    await publish({ locale: 'FR-ci', content: { body: 'fr-CI {{dose}}' } });
    expect(await render({ locale: 'fr-CI' })).toBe('fr-CI 8 units');
    expect(await render({ locale: 'fr-SN' })).toBe('fr 8 units');
    expect(await render({ locale: 'de' })).toBe('en 8 units');
  });

  it('names what is missing, wrong or unknown', async () => {
    await publish({ variables: { ...DOSE, additionalProperties: false } });
    expect(await fields(render({ variables: {} }))).toEqual(['/variables/dose required']);
    expect(await fields(render({ variables: { dose: 8, x: 1 } }))).toEqual([
      '/variables/x unknown_field',
      '/variables/dose invalid_variable',
    ]);
    expect(await fields(render({ name: 'other' }))).toEqual(['/template unknown_template']);
    expect(await fields(render({ serviceName: 'wellness' }))).toEqual(['/template unknown_template']);
    await publish({ locale: 'de', content: { title: '{{dose}}', body: '{{dose}}' } });
    expect(await fields(render({ locale: 'de', variables: { dose: '' } }))).toEqual(['/template empty_text']);
    expect(await fields(render({ variables: { dose: 'x'.repeat(100_001) } }))).toEqual(['/template too_long']);
  });

  it.each<[Input, string[]]>([
    [{ content: { body: '{{#if}}' } }, ['/content/body invalid_template']],
    [
      { content: { title: '{{nope x}}', body: '{{> p}}' } },
      ['/content/title invalid_template', '/content/body invalid_template'],
    ],
    [{ content: { body: '{{other}}' } }, ['/content/body undeclared_variable']],
    [{ content: { body: 'x', data: { link: { url: '{{' } } } }, ['/content/data invalid_template']],
    [{ content: {} }, ['/content/body required']],
    [{ content: { body: 'x', html: '<p>' } }, ['/content/html html_not_supported']],
    [{ channel: 'email', content: { html: '<p>x' } }, ['/content/title required']],
    [{ channel: 'email', content: { title: 'x', html: '<p>{{{dose}}}' } }, ['/content/html invalid_template']],
    [{ channel: 'email', content: { title: 'x', html: '<img>' } }, ['/content/body required']],
    [{ channel: 'email', content: { title: 'x', html: '<div>'.repeat(16_000) } }, ['/content/html invalid_html']],
    [{ variables: { type: 'string' } }, ['/variables/type invalid_schema']],
    [
      { variables: { type: 'object', properties: { a: { type: 'string', pattern: '(a+)+$' } } } },
      ['/variables/properties/a/pattern invalid_schema'],
    ],
    [{ variables: { type: 'object', $ref: '#' } }, ['/variables/$ref invalid_schema']],
    [
      { variables: { type: 'object', properties: { a: { type: 'words' } } } },
      [
        '/variables/properties/a/type invalid_schema',
        '/variables/properties/a/type invalid_schema',
        '/variables/properties/a/type invalid_schema',
      ],
    ],
    [
      { variables: { type: 'object', properties: { a: { minLength: 1, type: 'number' } } } },
      ['/variables invalid_schema'],
    ],
  ])('refuses to write %j', async (input, expected) => {
    expect(await fields(write(input))).toEqual(expected);
  });

  it('asks for members of the variables themselves, not of their prototype', async () => {
    const variables = { type: 'object', required: ['constructor'], properties: { constructor: { type: 'string' } } };
    await publish({ content: { body: 'x' }, variables });
    expect(await fields(render({ variables: {} }))).toEqual(['/variables/constructor required']);
  });

  it('compiles once, until it is told to forget', async () => {
    await publish();
    await render();
    await render();
    expect(seen).toEqual(['miss', 'hit']);
    expect(store.lookUps).toBe(1);
    renderer.invalidate('template.other');
    await render();
    for (const tag of ['template.dose', 'notifications', null]) {
      renderer.invalidate(tag);
      await render();
    }
    expect(seen.slice(2)).toEqual(['hit', 'miss', 'miss', 'miss']);
    clock += 3_600_001;
    await render();
    expect(seen.at(-1)).toBe('miss');
  });

  it('tells every process of what it publishes', async () => {
    await publish();
    templates.invalidate(null);
    expect(invalidations.published).toEqual([
      { cache: 'templates', key: 'template.dose' },
      { cache: 'templates', key: null },
    ]);
  });

  it('makes a text part from HTML, which is a template, too', async () => {
    const { content } = await write({
      channel: 'email',
      content: {
        title: 'Insulin',
        html: '<h1>Hello {{dose}}</h1><p>{{#if dose}}Take <a href="https://x.example/{{dose}}">it</a>{{/if}}</p>',
      },
    });
    expect(content.text).toBe('Hello {{dose}}\n\n{{#if dose}}Take it (https://x.example/{{dose}}){{/if}}');
  });

  it('makes HTML from MJML, and keeps both', async () => {
    const mjml = (inner: string): string =>
      `<mjml><mj-body><mj-section><mj-column>${inner}</mj-column></mj-section></mj-body></mjml>`;
    const content = { title: 'Insulin', mjml: mjml('<mj-text>Take {{dose}} &amp; rest</mj-text>') };
    const template = await write({ channel: 'email', content });
    expect(template.content.html).toMatch(/<!doctype html>[^]*Take {{dose}} &amp; rest/);
    const shown: TemplateBody = templateView(template);
    expect(shown.content).toEqual({ ...content, body: null, html: null, data: {} });
    const previewed = await templates.preview(CALLER, 'dose', {
      channel: 'email',
      version: 1,
      variables: { dose: '<8>' },
    });
    expect(previewed).toMatchObject({ title: 'Insulin', body: 'Take <8> & rest', version: 1, locale: 'default' });
    expect(previewed.html).toContain('Take &lt;8&gt; &amp; rest');
    expect(await fields(write({ channel: 'email', content: { title: 'x', mjml: mjml('<mj-what/>') } }))).toEqual([
      '/content/mjml invalid_mjml',
    ]);
    expect(await fields(write({ channel: 'email', content: { title: 'x', mjml: 'no markup' } }))).toEqual([
      '/content/mjml invalid_mjml',
    ]);
  });
});
