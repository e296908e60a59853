import type { z } from 'zod';
import type { FieldError } from '#contracts/problems';

/** A JSON Pointer (RFC 6901). */
export const jsonPointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const valueAt = (root: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    root,
  );

const expectation = (issue: z.core.$ZodIssue): { code: string; message: string } => {
  switch (issue.code) {
    case 'invalid_type':
      return {
        code: 'invalid_type',
        message: `must be ${issue.expected === 'array' || issue.expected === 'object' || issue.expected === 'int' ? 'an' : 'a'} ${issue.expected}`,
      };
    case 'too_big':
      return {
        code: issue.origin === 'string' || issue.origin === 'array' ? 'too_long' : 'too_large',
        message: `must be at most ${String(issue.maximum)}${issue.origin === 'string' ? ' characters long' : issue.origin === 'array' ? ' items' : ''}`,
      };
    case 'too_small':
      return {
        code: issue.origin === 'string' || issue.origin === 'array' ? 'too_short' : 'too_small',
        message: `must be at least ${String(issue.minimum)}${issue.origin === 'string' ? ' characters long' : issue.origin === 'array' ? ' items' : ''}`,
      };
    case 'invalid_value':
      return { code: 'invalid_value', message: `must be one of ${issue.values.map(String).join(', ')}` };
    case 'invalid_format':
      // Our own patterns say in words what they want; Zod's standard text shows the pattern.
      return {
        code: 'invalid_format',
        message: issue.message.startsWith('Invalid') ? `must be a valid ${issue.format}` : issue.message,
      };
    case 'invalid_union':
      return { code: 'invalid_type', message: 'has the wrong type or form' };
    case 'custom':
      return {
        code: typeof issue.params?.['code'] === 'string' ? issue.params['code'] : 'invalid',
        message: issue.message,
      };
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
      return { code: issue.code, message: 'is not valid' };
  }
};

/**
 * What Zod found wrong, in the words of the contract: never the value itself.
 * @param prefix where the value stands in the whole body
 */
export const fieldErrors = (
  error: z.ZodError,
  value: unknown,
  prefix = '',
  within: FieldError['in'] = 'body',
): FieldError[] =>
  error.issues.flatMap((issue) => {
    const place = (path: readonly PropertyKey[]): string =>
      within === 'body' ? `${prefix}${jsonPointer(path)}` : path.map(String).join('.');
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        in: within,
        field: place([...issue.path, key]),
        code: 'unknown_field',
        message: 'is not a field of this request',
      }));
    if (issue.code !== 'custom' && issue.path.length > 0 && valueAt(value, issue.path) === undefined)
      return [{ in: within, field: place(issue.path), code: 'required', message: 'is required' }];
    return [{ in: within, field: place(issue.path), ...expectation(issue) }];
  });
