import { BadUsage, InvalidOption } from './exit.js';

/** An object without its undefined members, which the API would refuse. */
export const given = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

/** Collects the values of an option that may be repeated. */
export const collect = <T>(value: T, before: readonly T[] | undefined): T[] => [...(before ?? []), value];

/** An option that holds a JSON object. @throws InvalidOption */
export const jsonObject = (text: string): Record<string, unknown> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidOption('It must be a JSON object.');
  return value as Record<string, unknown>;
};

/**
 * A value of an option that must be one of some words: the parser shows `choices`, but leaves them to whoever parses.
 * @throws InvalidOption
 */
export const oneOf = <T extends string>(words: readonly T[], value: string): T => {
  const found = words.find((word) => word === value);
  if (found === undefined) throw new InvalidOption(`It must be one of ${words.join(', ')}.`);
  return found;
};

/** The argument at a place. @throws BadUsage */
export const argument = (args: readonly string[], index: number, name: string): string => {
  const value = args[index];
  if (value === undefined) throw new BadUsage(`<${name}> is required`);
  return value;
};
