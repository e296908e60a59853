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
for (const source of sources) {
  for (const [file, data] of Object.entries(JSON.parse(readFileSync(`${source}/coverage-final.json`, 'utf8')))) {
    const path = relative(root, file);
    if (COUNTED.test(path) && !LEFT_OUT.test(path)) map.addFileCoverage({ ...data, path: file });
  }
}
const files = map
  .files()
  .map((file) => ({ path: relative(root, file), summary: map.fileCoverageFor(file).toSummary() }));
const sum = (match) => {
  const total = coverage.createCoverageSummary();
  for (const { path, summary } of files) if (match(path)) total.merge(summary);
  return { statements: total.statements.pct, branches: total.branches.pct };
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
  for (const [metric, percent] of Object.entries(least))
    if (!(reached[metric] >= percent)) {
      failed = true;
      console.error(`${what}: ${metric} ${reached[metric]} %, needs ${percent} %`);
    }
}
process.exit(failed ? 1 : 0);
