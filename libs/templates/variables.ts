import { Ajv } from 'ajv';
import type { FieldError } from '#contracts/problems';

/**
 * JSON Schema, as much of it as is checked in a time linear in the variables: no patterns, no references, nothing that
 * compares members with one another.
 */
const KEYWORDS = {
  type: 'value',
  title: 'value',
  description: 'value',
  enum: 'value',
  const: 'value',
  required: 'value',
  minLength: 'value',
  maxLength: 'value',
  minimum: 'value',
  maximum: 'value',
  exclusiveMinimum: 'value',
  exclusiveMaximum: 'value',
  minItems: 'value',
  maxItems: 'value',
  minProperties: 'value',
  maxProperties: 'value',
  properties: 'schemas',
  items: 'schema',
  additionalProperties: 'schema',
} as const;
const isKeyword = (name: string): name is keyof typeof KEYWORDS => Object.hasOwn(KEYWORDS, name);

/** Names that a template can write. */
const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const MAX_DEPTH = 8;
const MAX_ENUM = 100;

const problem = (field: string, message: string): FieldError => ({
  in: 'body',
  field,
  code: 'invalid_schema',
  message,
});
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const unsupported = (schema: unknown, field: string, depth: number): FieldError[] => {
  if (typeof schema === 'boolean') return [];
  if (!isObject(schema)) return [problem(field, 'must be a JSON Schema')];
  if (depth > MAX_DEPTH) return [problem(field, `must be at most ${MAX_DEPTH} levels deep`)];
  return Object.entries(schema).flatMap(([name, value]) => {
    const here = `${field}/${name}`;
    if (!isKeyword(name)) return [problem(here, `is not one of ${Object.keys(KEYWORDS).join(', ')}`)];
    if (name === 'enum' && Array.isArray(value) && value.length > MAX_ENUM)
      return [problem(here, `must have at most ${MAX_ENUM} values`)];
    if (KEYWORDS[name] === 'schema') return unsupported(value, here, depth + 1);
    if (KEYWORDS[name] === 'value') return [];
    if (!isObject(value)) return [problem(here, 'must be an object')];
    return Object.entries(value).flatMap(([member, inner]) =>
      NAME.test(member)
        ? unsupported(inner, `${here}/${member}`, depth + 1)
        : [problem(here, 'must have names of the characters A-Z a-z 0-9 _ -')],
    );
  });
};

const ajv = new Ajv({
  strict: true,
  strictTypes: true,
  allowUnionTypes: true,
  allErrors: true,
  ownProperties: true,
  logger: false,
});

/** What is wrong with variables, where they stand below `/variables`. */
export type VariablesCheck = (variables: Record<string, unknown>) => FieldError[];

/** Names that a template may use; null when the schema lets any in. */
export const declaredNames = (schema: Record<string, unknown>): ReadonlySet<string> | null =>
  schema['additionalProperties'] === true ||
  (schema['additionalProperties'] === undefined && schema['properties'] === undefined)
    ? null
    : new Set(isObject(schema['properties']) ? Object.keys(schema['properties']) : []);

/** @returns what is wrong with the schema, or the check that it describes */
export const readSchema = (schema: Record<string, unknown>): { errors: FieldError[] } | { check: VariablesCheck } => {
  const errors = unsupported(schema, '/variables', 0);
  if (schema['type'] !== 'object') errors.push(problem('/variables/type', 'must be object'));
  if (errors.length > 0) return { errors };
  try {
    if (!(ajv.validateSchema(schema) as boolean))
      return {
        errors: (ajv.errors ?? []).map((error) =>
          problem(`/variables${error.instancePath}`, error.message ?? 'is invalid'),
        ),
      };
    const validate = ajv.compile(schema);
    return {
      check: (variables) => {
        if (validate(variables)) return [];
        return (validate.errors ?? []).map((error) => {
          const place = `/variables${error.instancePath}`;
          const params = error.params as Record<string, unknown>;
          if (error.keyword === 'required')
            return {
              in: 'body',
              field: `${place}/${String(params['missingProperty'])}`,
              code: 'required',
              message: 'is required',
            };
          if (error.keyword === 'additionalProperties')
            return {
              in: 'body',
              field: `${place}/${String(params['additionalProperty']).replaceAll('~', '~0').replaceAll('/', '~1')}`,
              code: 'unknown_field',
              message: 'is no variable of the template',
            };
          return { in: 'body', field: place, code: 'invalid_variable', message: error.message ?? 'is invalid' };
        });
      },
    };
  } catch (error) {
    return { errors: [problem('/variables', error instanceof Error ? error.message : 'is no JSON Schema')] };
  } finally {
    // Ajv keeps what it compiled, by the schema; we keep it ourselves, for an hour.
    ajv.removeSchema(schema);
  }
};
