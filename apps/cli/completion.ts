import type { DescribedCommand } from './described.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const HELP = '--help';
const words = (command: DescribedCommand): string[] => [...command.options.map(({ long }) => long), HELP];
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** The script that a shell reads to complete `carillon`. */
export const completionScript = (shell: Shell, commands: readonly DescribedCommand[]): string =>
  ({ bash: bashScript, zsh: zshScript, fish: fishScript })[shell](commands);

/** Names hold colons, at which bash breaks words: the line is read instead, and what was typed before a colon is cut off. */
const bashScript = (commands: readonly DescribedCommand[]): string => `_carillon() {
  local line=\${COMP_LINE:0:COMP_POINT} current command previous words=
  current=\${line##* }
  read -r _ command _ <<<"$line"
  previous=\${line% *}
  previous=\${previous##* }
  case $command in
    "$current" | '') words=${quoted(commands.map(({ name }) => name).join(' '))} ;;
${commands.map((command) => `    ${command.name}) words=${quoted(words(command).join(' '))} ;;`).join('\n')}
  esac
  case "$command $previous" in
${commands
  .flatMap(({ name, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .map(({ long, choices }) => `    '${name} ${long}') words=${quoted(choices.join(' '))} ;;`),
  )
  .join('\n')}
  esac
  COMPREPLY=()
  while IFS= read -r word; do
    case $COMP_WORDBREAKS in *:*) case $current in *:*) word=\${word#"\${current%:*}:"} ;; esac ;; esac
    COMPREPLY+=("$word")
  done < <(compgen -W "$words" -- "$current")
}
complete -F _carillon carillon`;

const zshText = (text: string): string => text.replaceAll(/[[\]:\\]/g, String.raw`\$&`);

const zshScript = (commands: readonly DescribedCommand[]): string => `#compdef carillon
_carillon() {
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    ${quoted(`${name.replaceAll(':', String.raw`\:`)}:${description}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case $words[2] in
${commands.map(zshCase).join('\n')}
  esac
}
compdef _carillon carillon`;

const zshCase = ({ name, options }: DescribedCommand): string => {
  const specs = options.map(({ long, description, choices, takesValue }) => {
    const values = choices.length > 0 ? `(${choices.join(' ')})` : '';
    return quoted(`*${long}[${zshText(description)}]${takesValue ? `:value:${values}` : ''}`);
  });
  return `    ${name}) _arguments ${[...specs, quoted(`${HELP}[show help]`)].join(' ')} ;;`;
};

const fishScript = (commands: readonly DescribedCommand[]): string =>
  [
    'complete -c carillon -f',
    ...commands.map(
      ({ name, description }) =>
        `complete -c carillon -n __fish_use_subcommand -a ${quoted(name)} -d ${quoted(description)}`,
    ),
    ...commands.flatMap(({ name, options }) =>
      options.map(({ long, description, choices, takesValue }) =>
        [
          `complete -c carillon -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)} -d ${quoted(description)}`,
          ...(takesValue ? ['-x'] : []),
          ...(choices.length > 0 ? [`-a ${quoted(choices.join(' '))}`] : []),
        ].join(' '),
      ),
    ),
  ].join('\n');
