import { styleText } from 'node:util';

export type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'bold';

/** Where the command line writes: results on one stream, what went wrong on the other. */
export interface Streams {
  out: NodeJS.WritableStream;
  err: NodeJS.WritableStream;
}

/** What a command has to say: a value for `--json`, lines for people. */
export interface Report {
  value: unknown;
  lines: readonly string[];
  /** Exit code; 0 where it is left out. */
  code?: number;
}

/** Colours only a terminal, and never against NO_COLOR. */
export class Terminal {
  /** Whether this run prints JSON instead of text. */
  json = false;

  constructor(private readonly streams: Streams = { out: process.stdout, err: process.stderr }) {}

  paint(colour: Colour, text: string): string {
    return styleText(colour, text, { stream: this.streams.out, validateStream: true });
  }

  line(text: string): void {
    this.streams.out.write(`${text}\n`);
  }

  show({ value, lines }: Report): void {
    if (this.json) this.line(JSON.stringify(value, null, 2));
    else for (const line of lines) this.line(line);
  }

  /** Something went wrong: text on the error stream, or one JSON object there. */
  complain(lines: readonly string[], value: object): void {
    if (this.json) this.streams.err.write(`${JSON.stringify(value)}\n`);
    else
      for (const [index, line] of lines.entries()) {
        const told = index === 0 ? styleText('red', line, { stream: this.streams.err, validateStream: true }) : line;
        this.streams.err.write(`${told}\n`);
      }
  }
}

// eslint-disable-next-line no-control-regex -- the codes that colour
const widthOf = (text: string): number => text.replaceAll(/\u001b\[[0-9;]*m/g, '').length;

/** Rows as columns of equal width; the first row is the heading. */
export const table = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))));
  return rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  );
};

/** Lines of `name  value`. */
export const facts = (pairs: readonly (readonly [string, string])[]): string[] => table(pairs.map((pair) => [...pair]));
