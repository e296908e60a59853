import type { TemplateContent as GivenContent } from '#contracts/http/templates';
import type { FieldError } from '#contracts/problems';
import type { Channel } from '#contracts/vocabulary';
import { ValidationFailed } from '#domain/errors';
import { htmlOfMjml, textOfHtml } from './html.js';
import { BadTemplate, Budget, type Program, readTemplate, RenderRefused, renderText } from './language.js';
import type { Template, TemplateContent } from './ports.js';
import { declaredNames, readSchema, type VariablesCheck } from './variables.js';

/** What a notification says, made from a template. */
export interface Rendered {
  title: string | null;
  body: string;
  html: string | null;
  data: Record<string, unknown>;
}

type Data =
  | { kind: 'text'; program: Program }
  | { kind: 'list'; items: readonly Data[] }
  | { kind: 'members'; members: readonly (readonly [string, Data])[] }
  | { kind: 'fixed'; value: unknown };

/** A template ready to be rendered, with its JSON Schema. */
export interface Compiled {
  locale: string;
  version: number;
  title: Program | null;
  body: Program;
  html: Program | null;
  data: Data;
  check: VariablesCheck;
}

const MAX_STEPS = 20_000;
const MAX_CHARACTERS = 600_000;
/** As in a request that brings its own texts. */
const MAX_RENDERED = { title: 255, body: 100_000, html: 500_000 } as const;
const MAX_DATA = 20_000;

const problem = (field: string, code: string, message: string): FieldError => ({ in: 'body', field, code, message });

const readData = (value: unknown): Data => {
  if (typeof value === 'string') return { kind: 'text', program: readTemplate(value, false) };
  if (Array.isArray(value)) return { kind: 'list', items: value.map(readData) };
  if (typeof value === 'object' && value !== null)
    return { kind: 'members', members: Object.entries(value).map(([name, inner]) => [name, readData(inner)] as const) };
  return { kind: 'fixed', value };
};

const renderData = (data: Data, variables: Record<string, unknown>, budget: Budget): unknown => {
  budget.step();
  switch (data.kind) {
    case 'text':
      return renderText(data.program, variables, budget);
    case 'list':
      return data.items.map((one) => renderData(one, variables, budget));
    case 'members':
      return Object.fromEntries(data.members.map(([name, inner]) => [name, renderData(inner, variables, budget)]));
    case 'fixed':
      return data.value;
  }
};

const namesOf = (data: Data): string[] => {
  switch (data.kind) {
    case 'text':
      return [...data.program.names];
    case 'list':
      return data.items.flatMap(namesOf);
    case 'members':
      return data.members.flatMap(([, inner]) => namesOf(inner));
    case 'fixed':
      return [];
  }
};

/** Collects what is wrong with the texts of a template. */
class Texts {
  readonly errors: FieldError[] = [];
  constructor(private readonly declared: ReadonlySet<string> | null) {}

  /** Null where it is wrong. */
  read<T>(field: string, make: () => T, namesIn: (made: T) => Iterable<string>): T | null {
    try {
      const made = make();
      for (const name of new Set(namesIn(made)))
        if (this.declared !== null && !this.declared.has(name))
          this.errors.push(problem(field, 'undeclared_variable', 'uses a name that `variables` does not declare'));
      return made;
    } catch (error) {
      if (!(error instanceof BadTemplate)) throw error;
      this.errors.push(problem(field, 'invalid_template', error.message));
      return null;
    }
  }

  program(field: string, source: string | null, html: boolean): Program | null {
    return source === null
      ? null
      : this.read(
          field,
          () => readTemplate(source, html),
          ({ names }) => names,
        );
  }
}

/** @throws ValidationFailed with every text and schema that is wrong */
export const compileTemplate = ({
  content,
  variables,
  locale,
  version,
}: Pick<Template, 'content' | 'variables' | 'locale' | 'version'>): Compiled => {
  const schema = readSchema(variables);
  if ('errors' in schema) throw new ValidationFailed(schema.errors);
  const texts = new Texts(declaredNames(variables));
  const title = texts.program('/content/title', content.title, false);
  const html = texts.program(content.mjml === null ? '/content/html' : '/content/mjml', content.html, true);
  const body = texts.program('/content/body', content.body ?? content.text, false);
  const data = texts.read('/content/data', () => readData(content.data), namesOf);
  if (texts.errors.length > 0 || body === null || data === null) throw new ValidationFailed(texts.errors);
  return { locale, version, title, body, html, data, check: schema.check };
};

/**
 * What is kept of a template as it was given: HTML made from MJML, and a text part where there is none.
 * @throws ValidationFailed
 */
export const writeContent = async (channel: Channel, given: GivenContent): Promise<TemplateContent> => {
  const { title = null, body = null, html = null, mjml = null, data } = given;
  const errors: FieldError[] = [];
  if (channel !== 'email')
    for (const [name, value] of Object.entries({ html, mjml }))
      if (value !== null)
        errors.push(problem(`/content/${name}`, 'html_not_supported', 'is for the channel email only'));
  if (html !== null && mjml !== null)
    errors.push(problem('/content/mjml', 'invalid', 'give `html` or `mjml`, not both'));
  if (body === null && html === null && mjml === null)
    errors.push(
      problem('/content/body', 'required', channel === 'email' ? 'is required, or `html` or `mjml`' : 'is required'),
    );
  if (channel === 'email' && title === null)
    errors.push(problem('/content/title', 'required', 'is required: it is the subject of the e-mail'));
  if (JSON.stringify(data).length > MAX_DATA)
    errors.push(problem('/content/data', 'too_long', `must be at most ${MAX_DATA} characters as JSON`));
  if (errors.length > 0) throw new ValidationFailed(errors);
  const made = mjml === null ? html : await orRefused('/content/mjml', 'invalid_mjml', () => htmlOfMjml(mjml));
  const text =
    body === null && made !== null
      ? await orRefused(mjml === null ? '/content/html' : '/content/mjml', 'invalid_html', () => textOfHtml(made))
      : null;
  if (text === '')
    throw new ValidationFailed([problem('/content/body', 'required', 'is required: the HTML has no text')]);
  return { title, body, html: made, mjml, text, data };
};

const orRefused = async (field: string, code: string, make: () => string | Promise<string>): Promise<string> => {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof BadTemplate)) throw error;
    throw new ValidationFailed([problem(field, code, error.message)]);
  }
};

/** @throws ValidationFailed naming each variable that is missing or wrong, or `/template` when it makes too much */
export const renderTemplate = (compiled: Compiled, variables: Record<string, unknown>): Rendered => {
  const errors = compiled.check(variables);
  if (errors.length > 0) throw new ValidationFailed(errors);
  const budget = new Budget(MAX_STEPS, MAX_CHARACTERS);
  try {
    const textOf = (program: Program | null): string | null =>
      program === null ? null : renderText(program, variables, budget);
    const rendered = {
      title: textOf(compiled.title) || null,
      body: renderText(compiled.body, variables, budget),
      html: textOf(compiled.html) || null,
      data: renderData(compiled.data, variables, budget) as Record<string, unknown>,
    };
    if (rendered.body === '')
      throw new ValidationFailed([problem('/template', 'empty_text', 'makes an empty body of these variables')]);
    const tooLong = (['title', 'body', 'html'] as const).filter(
      (name) => (rendered[name]?.length ?? 0) > MAX_RENDERED[name],
    );
    if (tooLong.length > 0)
      throw new ValidationFailed(
        tooLong.map((name) =>
          problem('/template', 'too_long', `makes a ${name} of more than ${MAX_RENDERED[name]} characters`),
        ),
      );
    return rendered;
  } catch (error) {
    if (!(error instanceof RenderRefused)) throw error;
    throw new ValidationFailed([
      error.pointer === null
        ? problem('/template', error.code, error.message)
        : problem(`/variables${error.pointer}`, error.code, error.message),
    ]);
  }
};
