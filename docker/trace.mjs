// Copies of each built app what it loads, and nothing else: OUT/<app>/{dist,node_modules}, as they stand in the
// checkout. node_modules of production weigh 264 MB, of which the apps load a tenth.
//
//   node docker/trace.mjs OUT [APP...]
//
// A file that is missing is found by `scripts/images-test.sh`, which makes the images work.
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nodeFileTrace } from '@vercel/nft';

const ROOT = join(import.meta.dirname, '..');
const APPS = join(ROOT, 'dist', 'apps');

/** What an app starts as a process of its own, beside its `main.js`. */
const STARTS = { cli: ['dispatcher'] };

/** Named by code that never runs here: cosmiconfig would compile a configuration of htmlnano's written in TypeScript. */
const NEVER_LOADED = ['node_modules/typescript/**'];

const [out, ...named] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node docker/trace.mjs OUT [APP...]');
  process.exit(2);
}

const entryOf = (app) => {
  const entry = join(APPS, app, 'main.js');
  if (existsSync(entry)) return entry;
  console.error(`error: there is no ${entry}: is "${app}" an app, and has it been built (npm run build)?`);
  process.exit(1);
};

const cache = {};
for (const app of named.length > 0 ? named : readdirSync(APPS)) {
  const entries = [app, ...(STARTS[app] ?? [])].map(entryOf);
  const { fileList } = await nodeFileTrace(entries, { base: ROOT, ignore: NEVER_LOADED, cache });
  const files = [...fileList].filter((file) => file.startsWith('dist/') || file.startsWith('node_modules/'));
  for (const file of files) {
    const to = join(out, app, file);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(ROOT, file), to, { verbatimSymlinks: true });
  }
  console.log(`${app}: ${files.length} files`);
}
