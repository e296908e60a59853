import Handlebars from 'handlebars';

/**
 * Handlebars' own grammar, walked by us: nothing is compiled to code, only a value's own members can be reached, and
 * each step and each character that comes out is counted. So the time of a render is bounded, whatever the template.
 */

/** Where a value comes from: steps up, then members. */
interface Path {
  up: number;
  parts: readonly string[];
  /** Of the loop: index, key, first or last. */
  loop: LoopName | null;
}
type LoopName = 'index' | 'key' | 'first' | 'last';
const LOOP_NAMES: ReadonlySet<string> = new Set<LoopName>(['index', 'key', 'first', 'last']);
const isLoopName = (name: string | undefined): name is LoopName => name !== undefined && LOOP_NAMES.has(name);

type Block = 'if' | 'unless' | 'each' | 'with';
const BLOCKS: ReadonlySet<string> = new Set<Block>(['if', 'unless', 'each', 'with']);
const isBlock = (name: string): name is Block => BLOCKS.has(name);

type Node =
  | { kind: 'text'; value: string }
  | { kind: 'value'; path: Path }
  | { kind: Block; path: Path; then: readonly Node[]; otherwise: readonly Node[] };

/** A text that passed every check; renders without doing anything but reading variables. */
export interface Program {
  nodes: readonly Node[];
  html: boolean;
  /** Members of the variables that it names. */
  names: ReadonlySet<string>;
}

/** Why a text is no template: for the person who wrote it. */
export class BadTemplate extends Error {
  override readonly name = 'BadTemplate';
}

/** Why variables do not fit a template. */
export class RenderRefused extends Error {
  override readonly name = 'RenderRefused';
  constructor(
    /** JSON Pointer below the variables; null when the template itself asks for too much. */
    readonly pointer: string | null,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const MAX_DEPTH = 20;
const MAX_PATH = 10;
/** In one text. The parser takes a time that grows with the square of blocks in blocks: 0.2 s for this many. */
const MAX_TAGS = 1_000;

const at = (node: hbs.AST.Node, message: string): BadTemplate =>
  new BadTemplate(`line ${node.loc.start.line}: ${message}`);

class Reader {
  readonly names = new Set<string>();
  constructor(private readonly html: boolean) {}

  /** @param inner how many blocks with a value of their own are around */
  read(program: hbs.AST.Program | undefined, depth: number, inner: number): Node[] {
    if (program === undefined) return [];
    if (program.blockParams !== undefined && program.blockParams.length > 0)
      throw new BadTemplate('block parameters are not supported');
    return program.body.flatMap((statement) => this.statement(statement, depth, inner));
  }

  private statement(statement: hbs.AST.Statement, depth: number, inner: number): Node[] {
    switch (statement.type) {
      case 'CommentStatement':
        return [];
      case 'ContentStatement': {
        const { value } = statement as hbs.AST.ContentStatement;
        return value === '' ? [] : [{ kind: 'text', value }];
      }
      case 'MustacheStatement': {
        const { path, params, hash, escaped } = statement as hbs.AST.MustacheStatement & { escaped: boolean };
        if (params.length > 0 || (hash?.pairs ?? []).length > 0)
          throw at(statement, 'the only helpers are #if, #unless, #each and #with');
        if (this.html && !escaped) throw at(statement, 'HTML is always escaped: write {{ }}');
        return [{ kind: 'value', path: this.path(path, inner) }];
      }
      case 'BlockStatement':
        return [this.block(statement as hbs.AST.BlockStatement, depth, inner)];
      default:
        throw at(statement, 'partials and decorators are not supported');
    }
  }

  private block(statement: hbs.AST.BlockStatement, depth: number, inner: number): Node {
    if (depth >= MAX_DEPTH) throw at(statement, `blocks are at most ${MAX_DEPTH} deep`);
    const { path, params, hash, program, inverse } = statement;
    const name = path.original;
    const [param] = params;
    if (!isBlock(name) || param === undefined || params.length > 1 || (hash?.pairs ?? []).length > 0)
      throw at(statement, 'the only blocks are #if, #unless, #each and #with, each with one value');
    const within = name === 'each' || name === 'with' ? inner + 1 : inner;
    return {
      kind: name,
      path: this.path(param, inner),
      then: this.read(program, depth + 1, within),
      otherwise: this.read(inverse, depth + 1, inner),
    };
  }

  private path(expression: hbs.AST.Expression, inner: number): Path {
    if (expression.type !== 'PathExpression') throw at(expression, 'only names of variables can stand here');
    const { data, depth: up, parts } = expression as hbs.AST.PathExpression & { parts: unknown[] };
    const names = parts.map((part) => {
      if (typeof part !== 'string') throw at(expression, 'only names of variables can stand here');
      return part;
    });
    if (names.length > MAX_PATH || up > inner) throw at(expression, 'this path leads nowhere');
    const [first] = names;
    if (data) {
      if (first === 'root') {
        const [, member] = names;
        if (member === undefined) throw at(expression, '@root needs a member');
        this.names.add(member);
        return { up: inner, parts: names.slice(1), loop: null };
      }
      if (!isLoopName(first) || names.length > 1 || inner === 0 || up > 0)
        throw at(expression, 'only @index, @key, @first, @last and @root are known, those of a loop within one');
      return { up: 0, parts: [], loop: first };
    }
    if (up === inner && first !== undefined) this.names.add(first);
    return { up, parts: names, loop: null };
  }
}

const parse = (source: string): hbs.AST.Program => {
  if (source.split('{{').length > MAX_TAGS + 1) throw new BadTemplate(`has more than ${MAX_TAGS} times {{`);
  try {
    return Handlebars.parse(source);
  } catch (error) {
    const line = error instanceof Error ? /line (\d+)|- (\d+):/.exec(error.message) : null;
    const where = line?.[1] ?? line?.[2];
    throw new BadTemplate(`is not a Handlebars template${where === undefined ? '' : `: see line ${where}`}`);
  }
};

/** @param html whether values are escaped; plain text takes them as they are. @throws BadTemplate */
export const readTemplate = (source: string, html: boolean): Program => {
  const reader = new Reader(html);
  const nodes = reader.read(parse(source), 0, 0);
  return { nodes, html, names: reader.names };
};

/** What one render may use, all its texts together. */
export class Budget {
  constructor(
    private steps: number,
    private characters: number,
  ) {}

  step(count = 1): void {
    this.steps -= count;
    if (this.steps < 0)
      throw new RenderRefused(null, 'template_too_long', 'the template takes more steps than a render may');
  }

  write(text: string): void {
    this.characters -= text.length;
    if (this.characters < 0) throw new RenderRefused(null, 'template_too_long', 'the rendered text is too long');
  }
}

interface Scope {
  value: unknown;
  /** Of the value, below the variables. */
  pointer: string;
  loop: Readonly<Record<LoopName, unknown>> | null;
  outer: Scope | null;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#x27;',
  '`': '&#x60;',
  '=': '&#x3D;',
};
const escape = (text: string): string => text.replace(/[&<>"'`=]/g, (sign) => ESCAPES[sign] ?? sign);
const segment = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

const scopeAt = (scope: Scope, up: number): Scope => {
  let found = scope;
  for (let step = 0; step < up && found.outer !== null; step += 1) found = found.outer;
  return found;
};

/** The value, or undefined with the pointer of what is missing. */
const find = (scope: Scope, path: Path): { value: unknown; pointer: string } => {
  if (path.loop !== null) {
    let around: Scope | null = scope;
    while (around !== null && around.loop === null) around = around.outer;
    return { value: around?.loop?.[path.loop], pointer: `${scope.pointer}/@${path.loop}` };
  }
  let { value, pointer }: { value: unknown; pointer: string } = scopeAt(scope, path.up);
  for (const part of path.parts) {
    pointer += segment(part);
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      return { value: undefined, pointer };
    value = (value as Record<string, unknown>)[part];
  }
  return { value, pointer };
};

const required = (scope: Scope, path: Path): { value: unknown; pointer: string } => {
  const found = find(scope, path);
  if (found.value === undefined) throw new RenderRefused(found.pointer, 'required', 'is required by the template');
  return found;
};

const textOf = ({ value, pointer }: { value: unknown; pointer: string }): string => {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new RenderRefused(pointer, 'not_text', 'must be a text, a number or a boolean where the template shows it');
};

/** As Handlebars has it: an empty list is not there, either. */
const isThere = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : Boolean(value));

const entriesOf = (value: unknown, pointer: string): (readonly [string | number, unknown])[] => {
  if (Array.isArray(value)) return value.map((item, index) => [index, item] as const);
  if (typeof value === 'object' && value !== null) return Object.entries(value);
  if (!isThere(value)) return [];
  throw new RenderRefused(pointer, 'not_a_list', 'must be a list or an object: the template goes through it');
};

const renderNodes = (nodes: readonly Node[], scope: Scope, html: boolean, budget: Budget, out: string[]): void => {
  const write = (text: string): void => {
    budget.write(text);
    out.push(text);
  };
  for (const node of nodes) {
    budget.step();
    switch (node.kind) {
      case 'text':
        write(node.value);
        break;
      case 'value': {
        const text = textOf(required(scope, node.path));
        write(html ? escape(text) : text);
        break;
      }
      case 'if':
      case 'unless': {
        const holds = isThere(find(scope, node.path).value) === (node.kind === 'if');
        renderNodes(holds ? node.then : node.otherwise, scope, html, budget, out);
        break;
      }
      case 'with': {
        const { value, pointer } = required(scope, node.path);
        if (isThere(value)) renderNodes(node.then, { value, pointer, loop: null, outer: scope }, html, budget, out);
        else renderNodes(node.otherwise, scope, html, budget, out);
        break;
      }
      case 'each': {
        const { value, pointer } = required(scope, node.path);
        const entries = entriesOf(value, pointer);
        budget.step(entries.length);
        entries.forEach(([key, item], index) => {
          const loop = { index, key, first: index === 0, last: index === entries.length - 1 };
          const place = `${pointer}${segment(String(key))}`;
          renderNodes(node.then, { value: item, pointer: place, loop, outer: scope }, html, budget, out);
        });
        if (entries.length === 0) renderNodes(node.otherwise, scope, html, budget, out);
        break;
      }
    }
  }
};

/** @throws RenderRefused for a variable that is missing or no text, or when the budget is used up */
export const renderText = (program: Program, variables: Record<string, unknown>, budget: Budget): string => {
  const out: string[] = [];
  const root: Scope = { value: variables, pointer: '', loop: null, outer: null };
  renderNodes(program.nodes, root, program.html, budget, out);
  return out.join('');
};
