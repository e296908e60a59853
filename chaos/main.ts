import { parseArgs } from 'node:util';
import { runProgram, UsageError } from '../bench/program.js';
import { startServers } from '../bench/servers.js';
import { runScenario } from './run.js';
import { SCENARIOS } from './scenarios/all.js';
import { runSmall } from './small.js';
import { isGreen } from './verdict.js';

const SMALL = 'small';
const INSTANCE = 'chaos';

const USAGE = `usage: npm run chaos -- SCENARIO [--count N] [--json] [--sabotage] [--instance NAME]

${Object.entries(SCENARIOS)
  .map(([name, { what, sabotage }]) => `  ${name.padEnd(13)}${what}\n${' '.repeat(15)}(--sabotage: ${sabotage.name})`)
  .join('\n')}
  small        a small count of each, and of each with its sabotage, which must turn red

--instance names the private servers (default: ${INSTANCE}).
Status 0: nothing was lost or doubled, and nothing came again but what was in hand.`;

const readArguments = (): {
  name: string;
  count: number | null;
  json: boolean;
  sabotage: boolean;
  instance: string;
} => {
  const options = {
    count: { type: 'string' },
    json: { type: 'boolean', default: false },
    sabotage: { type: 'boolean', default: false },
    instance: { type: 'string', default: INSTANCE },
  } as const;
  let parsed;
  try {
    parsed = parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
  const { values, positionals } = parsed;
  const [name = '', ...others] = positionals;
  if ((SCENARIOS[name] === undefined && name !== SMALL) || others.length > 0)
    throw new UsageError(
      `${name === '' ? 'which scenario?' : `there is no scenario "${positionals.join(' ')}"`}\n\n${USAGE}`,
    );
  if (values.count !== undefined && !/^[1-9]\d{0,6}$/.test(values.count))
    throw new UsageError(`--count must be a whole number above 0\n\n${USAGE}`);
  return {
    name,
    count: values.count === undefined ? null : Number(values.count),
    json: values.json,
    sabotage: values.sabotage,
    instance: values.instance,
  };
};

await runProgram(async (cleanUps) => {
  const { name, count, json, sabotage, instance } = readArguments();
  const servers = await startServers(instance, cleanUps);
  const scenario = SCENARIOS[name];
  if (scenario === undefined) return (await runSmall(instance, json, cleanUps)) === 0 ? 0 : 1;
  const verdict = await runScenario({
    name,
    scenario,
    sabotaged: sabotage,
    count: count ?? scenario.count,
    servers,
    cleanUps,
    say: (text) => console.error(text),
  });
  if (json) console.log(JSON.stringify(verdict));
  else for (const [field, value] of Object.entries(verdict)) console.log(`${field}: ${JSON.stringify(value)}`);
  return isGreen(verdict) ? 0 : 1;
});
