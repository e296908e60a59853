import { stdSerializers } from 'pino';

/** Never in a log line: secrets, contents and addresses, at whatever depth. */
const HIDDEN: ReadonlySet<string> = new Set([
  'authorization',
  'Authorization',
  'x-api-key',
  'cookie',
  'password',
  'secret',
  'secrets',
  'token',
  'tokens',
  'key',
  'body',
  'html',
  'title',
  'data',
  'payload',
  'to',
  'target',
  'targets',
  'email',
  'address',
  'addresses',
  // What MongoDB's errors repeat of a document.
  'keyValue',
  'op',
]);

const CENSOR = '[redacted]';
const CUT = '[cut]';
const MAX_DEPTH = 6;
/** Objects in one line. */
const MAX_OBJECTS = 500;

/** What the texts of errors may repeat, in the order in which it is looked for. */
const IN_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]{0,512}@/gi, '$1'],
  [/\b(https?:\/\/[^\s/?#"'<>)]+)[/?#][^\s"'<>)]*/gi, '$1/…'],
  [/\bBearer\s+\S+/gi, `Bearer ${CENSOR}`],
  // https://docs.slack.dev/authentication/tokens
  [/\bx(?:ox[a-z]|app)[.-][\w.-]{8,}/g, CENSOR],
  [/dup key: .*/g, `dup key: ${CENSOR}`],
  [/[^\s"'<>(){}[\],;:/@]{1,64}@[^\s"'<>(){}[\],;:/@]{1,255}\.[\p{L}\d-]{2,63}/gu, CENSOR],
  // Registration tokens have some 150 characters.
  [/[\w:.~%+=-]{80,}/g, CENSOR],
];

/** A text as it may be logged. */
export const withoutAddresses = (text: string): string =>
  IN_TEXTS.reduce((rest, [pattern, instead]) => rest.replaceAll(pattern, instead), text);

const hasJson = (value: object): value is { toJSON: () => unknown } =>
  'toJSON' in value && typeof value.toJSON === 'function';

class Redaction {
  private left = MAX_OBJECTS;

  /** @param inError whether texts are those of an error, which may repeat what it failed at */
  of(value: unknown, depth: number, inError: boolean): unknown {
    if (typeof value === 'string') return inError ? withoutAddresses(value) : value;
    if (typeof value !== 'object' || value === null) return value;
    if (depth > MAX_DEPTH || --this.left < 0) return CUT;
    if (value instanceof Error) return this.fields(stdSerializers.err(value), depth, true);
    if (Array.isArray(value)) return value.map((item) => this.of(item, depth + 1, inError));
    if (hasJson(value)) return this.of(value.toJSON(), depth + 1, inError);
    return this.fields(value, depth, inError);
  }

  fields(value: object, depth: number, inError: boolean): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(value))
      copy[name] = HIDDEN.has(name) ? CENSOR : this.of(field, depth + 1, inError);
    return copy;
  }
}

/** The fields of a log line without what must not be in one; errors as plain objects. */
export const redacted = (fields: object): Record<string, unknown> => new Redaction().fields(fields, 0, false);
