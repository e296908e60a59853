import { InvalidSettings } from '#config/settings';

/** How the command line ends: docs/cli.md. Released: only add. */
export const EXIT = {
  ok: 0,
  /** The API refused, or what was asked for did not come about. */
  failed: 1,
  usage: 2,
  /** The API did not answer, or answered 5xx. */
  unreachable: 3,
  /** EX_CONFIG of sysexits.h, as for the apps: no key, a bad variable or profile. */
  configuration: 78,
} as const;

/** What was asked for did not come about, for a reason that stands in the message. */
export class Failed extends Error {
  override readonly name = 'Failed';
}

/** What is wrong with the command line, beyond what its parser finds. */
export class BadUsage extends Error {
  override readonly name = 'BadUsage';
}

/** The API cannot be reached, or cannot answer. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** A value that the parser of options refuses; it adds which option. */
export class InvalidOption extends Error {
  readonly code = 'commander.invalidArgument';
}

/** A parser of options: a whole number within bounds, inclusive. @throws InvalidOption */
export const wholeNumber = (value: string, minimum: number, maximum: number): number => {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < minimum || number > maximum)
    throw new InvalidOption(`It must be a whole number from ${minimum} to ${maximum}.`);
  return number;
};

export const exitCodeOf = (error: unknown): number => {
  if (error instanceof BadUsage) return EXIT.usage;
  if (error instanceof Unreachable) return EXIT.unreachable;
  if (error instanceof InvalidSettings) return EXIT.configuration;
  return EXIT.failed;
};
