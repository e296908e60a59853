import type { Outcome } from '#domain/outcome';
import { permanent } from '../outcomes.js';

/** What providers of SMS say in the same words, and how their answers are read. */

/** What is read of an answer, at the most: theirs have a few hundred bytes. */
export const MAX_ANSWER_BYTES = 64 * 1024;

/** The text as a JSON object; empty for all else. */
export const jsonObject = (text: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
};

/** Follows names into nested objects; undefined where the way ends. */
export const at = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);

export const textAt = (value: unknown, ...path: string[]): string | null => {
  const found = at(value, ...path);
  return typeof found === 'string' && found !== '' ? found : null;
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

export const numberRefused = (name: string, status: string): Outcome =>
  permanent(name, 'recipient', 'number_refused', `${name} cannot send to this number`, status);

export const contentRefused = (name: string, status: string): Outcome =>
  permanent(name, 'content', 'content_refused', `${name} refused the message`, status);

export const unexpected = (name: string, status: string): Outcome =>
  permanent(name, 'provider', 'unexpected_answer', `what answered does not seem to be ${name}`, status);
