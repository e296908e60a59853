// Merges what the unit and integration tests covered (jest) with what the processes of the end-to-end tests covered
// (V8), prints the sums by folder, and fails below the thresholds.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import coverage from 'istanbul-lib-coverage';

const THRESHOLDS = [
  { what: 'everything', match: () => true, statements: 80, branches: 80 },
  { what: 'libs/domain', match: (file) => file.startsWith('libs/domain/'), statements: 95, branches: 95 },
];
const COUNTED = /^(apps|libs)\//;
const LEFT_OUT = /(\.spec\.ts$|^libs\/testing\/|^apps\/sandbox\/|\/conformance)/;

const root = process.cwd();
// Files of nothing but types leave nothing to run.
const isEmpty = (path) => {
  const built = `dist/${path.replace(/\.ts$/, '.js')}`;
  if (!existsSync(built)) return false;
  const code = readFileSync(built, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\/\/.*$/gm, '');
  return /^\s*(export\s*\{\s*\};?\s*)?$/.test(code);
};
const map = coverage.createCoverageMap({});
const sources = ['coverage/unit', 'coverage/integration'];
if (existsSync('coverage/apps')) {
  execFileSync(
    process.execPath,
    [
      'node_modules/c8/bin/c8.js',
      'report',
      '--temp-directory',
      'coverage/apps',
      '--reports-dir',
      'coverage/e2e',
      '--reporter',
      'json',
      '--exclude-after-remap',
      '--exclude',
      'node_modules/**',
    ],
    { stdio: 'inherit', env: { ...process.env, NODE_V8_COVERAGE: '' } },
  );
  sources.push('coverage/e2e');
}
const missing = sources.filter((source) => !existsSync(`${source}/coverage-final.json`));
if (missing.length > 0) {
  console.error(`no coverage in ${missing.join(', ')}: run the stages unit, integration and e2e first`);
  process.exit(1);
}
// V8 counts statements by line. The lines of one file can differ a little between what jest compiled and what the build
// did, so they are merged by number: covered where any run covered it.
const lines = new Map();
for (const source of sources) {
  for (const [file, data] of Object.entries(JSON.parse(readFileSync(`${source}/coverage-final.json`, 'utf8')))) {
    const path = relative(root, file);
    if (!COUNTED.test(path) || LEFT_OUT.test(path) || isEmpty(path)) continue;
    map.addFileCoverage({ ...data, path: file });
    const known = lines.get(path) ?? lines.set(path, new Map()).get(path);
    for (const [line, hits] of Object.entries(coverage.createFileCoverage({ ...data, path: file }).getLineCoverage()))
      known.set(line, Math.max(known.get(line) ?? 0, hits));
  }
}
const files = map
  .files()
  .map((file) => ({ path: relative(root, file), branches: map.fileCoverageFor(file).toSummary().branches }));
const percent = (covered, total) => (total === 0 ? 100 : Math.floor((10_000 * covered) / total) / 100);
const sum = (match) => {
  const all = { statements: [0, 0], branches: [0, 0] };
  for (const { path, branches } of files) {
    if (!match(path)) continue;
    const hits = [...lines.get(path).values()];
    all.statements[0] += hits.filter((count) => count > 0).length;
    all.statements[1] += hits.length;
    all.branches[0] += branches.covered;
    all.branches[1] += branches.total;
  }
  return { statements: percent(...all.statements), branches: percent(...all.branches) };
};
const folder = (path) => path.split('/').slice(0, 2).join('/');
const row = (name, { statements, branches }) =>
  console.log(`${name.padEnd(28)}${String(statements).padStart(8)} %${String(branches).padStart(8)} %`);
console.log(`${'folder'.padEnd(28)}${'statements'.padStart(10)}${'branches'.padStart(10)}`);
for (const name of [...new Set(files.map(({ path }) => folder(path)))].sort())
  row(
    name,
    sum((path) => folder(path) === name),
  );
writeFileSync('coverage/merged.json', JSON.stringify(map));
let failed = false;
for (const { what, match, ...least } of THRESHOLDS) {
  const reached = sum(match);
  row(what, reached);
  for (const [metric, needed] of Object.entries(least))
    if (!(reached[metric] >= needed)) {
      failed = true;
      console.error(`${what}: ${metric} ${reached[metric]} %, needs ${needed} %`);
    }
}
process.exit(failed ? 1 : 0);
