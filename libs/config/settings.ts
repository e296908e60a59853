import { z } from 'zod';

/**
 * The environment, read once at boot. Each lib has a `settings.ts` with one schema whose keys are the names of the
 * variables; an app merges those it needs. `.env.example` and the table in the README are made from the same schemas.
 */

/** A variable as a number within bounds, inclusive. */
export const integer = (min: number, max: number): z.ZodCoercedNumber =>
  z.coerce
    .number({ error: `must be a whole number from ${min} to ${max}` })
    .int()
    .min(min)
    .max(max);

/** A comma-separated list. */
export const list = (item: z.ZodType<string, string> = z.string().min(1)): z.ZodType<string[], string> =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item));

export const flag = (): z.ZodType<boolean, string> =>
  z.enum(['true', 'false'], { error: 'must be true or false' }).transform((text) => text === 'true');

/** Bad configuration: one line per variable, never its value. */
export class InvalidSettings extends Error {
  override readonly name = 'InvalidSettings';
  constructor(readonly problems: readonly string[]) {
    super(`Configuration is invalid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/**
 * Parses the variables that `schema` names.
 * @throws InvalidSettings naming each variable that is wrong, with what it should be
 */
export const parseSettings = <T extends z.ZodObject>(schema: T, environment: NodeJS.ProcessEnv): z.output<T> => {
  // An empty variable counts as absent, as it does in compose files and ConfigMaps.
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? 'environment');
    const description = (schema.shape[name] as z.ZodType | undefined)?.meta()?.description;
    const wrong = present[name] === undefined ? 'is required' : issue.message;
    return description === undefined ? `${name} ${wrong}` : `${name} ${wrong} (${description})`;
  });
  throw new InvalidSettings([...new Set(problems)]);
};
