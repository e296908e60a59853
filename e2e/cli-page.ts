import { type DescribedCommand } from '../apps/cli/described.js';
import { describeCli } from '../apps/cli/run.js';

/** docs/cli.md: what people have to know first, then every command as the parser knows it. */

const INTRODUCTION = `# The command line

\`npx carillon\` in the checkout, or \`npm run cli --\`, once \`npm run build\` has run. It talks to the HTTP API with a key and
can do what the key may do, and no more; \`worker\` alone runs something itself. This page is made from the commands:
\`npm run reference\`.

## Address and key

| from | what |
| --- | --- |
| environment | \`CARILLON_API_KEY\`, \`CARILLON_API_URL\` (http://127.0.0.1:8009), \`CARILLON_SANDBOX_URL\` (http://127.0.0.1:8020) |
| a profile | \`carillon/profiles.json\` in \`$XDG_CONFIG_HOME\` or \`~/.config\`, which nobody else may read (\`chmod 600\`) |

The environment wins over the profile \`default\`, or that of \`CARILLON_PROFILE\`; \`--profile\` wins over the environment. A key
is never an option, since others can see command lines.

\`\`\`json
{
  "default": { "url": "http://127.0.0.1:8009", "key": "car_…" },
  "production": { "url": "https://notify.example.org", "key": "car_…" }
}
\`\`\`

## What it prints, and how it ends

Results go to the standard output, what went wrong to the error output. Colours are for terminals, and not where \`NO_COLOR\`
is set. With \`--json\` the result is one JSON document, and an error one JSON object on the error output.

| status | means |
| --- | --- |
| 0 | done |
| 1 | refused, or what was asked for did not come about: the field and the reason are printed |
| 2 | wrong usage: nothing was asked of the API |
| 3 | the API cannot be reached, or cannot answer right now |
| 78 | no key, or a bad variable or profile; for \`worker\` also a bad setting of the dispatcher |

## Completion

\`\`\`sh
source <(npx carillon completion bash)    # in ~/.bashrc
source <(npx carillon completion zsh)     # in ~/.zshrc, after compinit
npx carillon completion fish | source     # in ~/.config/fish/config.fish
\`\`\`

It completes the word \`carillon\`: put \`dist/apps/cli/main.js\` on the path under that name, or \`alias carillon='npx carillon'\`.

## A worker by cron

\`worker\` runs the dispatcher as it is deployed, with the same settings, and drains it when its time is up. Where a dispatcher
answers on \`DISPATCHER_PORT\` already, there is nothing to do, and it ends with 0; with \`DISPATCHER_PORT=0\` it runs beside
others, which is as safe as several dispatchers are. Each minute:

\`\`\`cron
* * * * *  cd /srv/carillon && npx carillon worker --batch-size 50 --max-runtime 300 --delay 1
\`\`\`

## Checks of a running installation

\`test:*\` print a line for each check, and end with 1 when one fails. They use the service \`test\` alone, and send to webhooks
of the sandbox alone; where no sandbox answers at \`CARILLON_SANDBOX_URL\`, they refuse. The installation must be able to reach
it (\`EGRESS_ALLOW\`) and have a secret for webhooks of the service \`test\`. Their key needs all scopes of notifications,
\`dead-letters:read\`, \`templates:read\` and \`templates:write\`. What they leave behind is notifications of the users \`check-…\`
and the template \`carillon-check\`.

## Commands
`;

const cell = (text: string): string => text.replaceAll('|', '\\|');
const rowOf = (usage: string, description: string, choices: readonly string[] = []): string => {
  const told = [description, ...(choices.length === 0 ? [] : [`one of ${choices.join(', ')}`])];
  return `| \`${cell(usage)}\` | ${cell(told.filter((one) => one !== '').join('; '))} |`;
};

const COMMON: ReadonlySet<string> = new Set(['--json', '--profile']);

const sectionOf = (command: DescribedCommand): string => {
  const usage = ['carillon', command.name, ...command.arguments.map((one) => one.usage)].join(' ');
  const rows = [
    ...command.arguments
      .filter(({ description }) => description !== '')
      .map((one) => rowOf(one.usage, one.description)),
    ...command.options
      .filter(({ long }) => !COMMON.has(long))
      .map(({ flags, description, choices }) => rowOf(flags, description, choices)),
  ];
  const table = rows.length === 0 ? [] : ['', '| option | meaning |', '| --- | --- |', ...rows];
  const sentence = `${command.description.slice(0, 1).toUpperCase()}${command.description.slice(1)}.`;
  return [`### \`${usage}\``, '', sentence, ...table].join('\n');
};

export const cliPage = async (): Promise<string> =>
  [
    INTRODUCTION,
    'Every command takes `--json` and `--help`; those that talk to the API also `--profile <name>`.',
    ...(await describeCli()).flatMap((command) => ['', sectionOf(command)]),
    '',
  ].join('\n');
