import { deepEqual, equal, match } from 'node:assert/strict';
import { join } from 'node:path';
import { type Bench, type Case, ENVIRONMENTS, namespaceOf } from '../bench.js';

/** Kinds that the API server has to learn first: of the operators that the components are for. */
const learnKinds = async (bench: Bench): Promise<void> => {
  await bench.kubectl(['apply', '--server-side', '--filename', join(bench.binaries, 'crds')]);
  await bench.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
};

const strictly = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '--filename', '-'];

/** "Kind name", one a line: a lost object is seen in review. */
const summaryOf = (manifest: string): string =>
  manifest
    .split(/^---$/m)
    .map((text) => {
      const kind = /^kind: (.+)$/m.exec(text)?.[1] ?? '?';
      // A hash at the end tells nothing to people.
      const name = (/^metadata:\n(?: .*\n)*? {2}name: (.+)$/m.exec(text)?.[1] ?? '?').replace(
        /^(carillon-settings)-.*/,
        '$1',
      );
      return `${kind} ${name}\n`;
    })
    .toSorted()
    .join('');

export const manifests: Case[] = [
  {
    name: 'every overlay passes strict validation on the server, without a warning',
    run: async (bench: Bench): Promise<void> => {
      for (const environment of ENVIRONMENTS) {
        await bench.kubectl([
          'apply',
          '--server-side',
          '--filename',
          join(bench.checkout, 'k8s', 'overlays', environment, 'namespace.yaml'),
        ]);
        const answer = await bench.attempt(strictly, await bench.rendered(environment));
        equal(answer.status, 0, answer.said);
        equal(answer.err, '');
      }
    },
  },
  {
    name: 'the same with both components, against the schemas of their operators',
    run: async (bench: Bench): Promise<void> => {
      await learnKinds(bench);
      const overlay = bench.read('k8s/overlays/prod/kustomization.yaml');
      const file = join(bench.checkout, 'k8s', 'overlays', 'prod', 'kustomization.yaml');
      const withComponents = overlay.replace(/^# (components:| {2}- \.\.\/\.\.\/components)/gm, '$1');
      match(withComponents, /^components:\n {2}- .*service-monitor\n {2}- .*queue-scaling$/m);
      bench.write(file, withComponents);
      try {
        const manifest = await bench.rendered('prod');
        const answer = await bench.attempt(strictly, manifest);
        equal(answer.status, 0, answer.said);
        equal(answer.err, '');
        match(summaryOf(manifest), /^ScaledObject dispatcher$/m);
        // KEDA makes one itself: two would pull in two directions.
        equal(/^HorizontalPodAutoscaler dispatcher$/m.test(summaryOf(manifest)), false);
      } finally {
        bench.write(file, overlay);
      }
    },
  },
  {
    name: 'a field that does not exist is refused',
    run: async (bench: Bench): Promise<void> => {
      const broken = (await bench.rendered('prod')).replace('revisionHistoryLimit:', 'revisionHistoryLimits:');
      match((await bench.attempt(strictly, broken)).err, /\.spec\.revisionHistoryLimits: field not declared in schema/);
    },
  },
  {
    name: 'every overlay has the objects that are on its list',
    run: async (bench: Bench): Promise<void> => {
      for (const environment of ENVIRONMENTS) {
        const file = `k8s/overlays/${environment}/objects.txt`;
        const summary = summaryOf(await bench.rendered(environment));
        if (process.env['CARILLON_WRITE_LISTS'] === 'yes') bench.writeToSource(file, summary);
        else
          deepEqual(
            summary.split('\n'),
            bench.read(file).split('\n'),
            `${file}: CARILLON_WRITE_LISTS=yes npm run test:cluster writes it`,
          );
      }
    },
  },
  {
    name: 'the example of Secrets cannot be applied as it stands',
    run: async (bench: Bench): Promise<void> => {
      const file = join(bench.checkout, 'k8s', 'secrets.example.yaml');
      const answer = await bench.attempt(['--namespace', namespaceOf('stage'), 'apply', '--filename', file]);
      match(answer.err, /no matches for kind "Secret" in version "fill-this-in\/v1"/);
      match(await bench.kubectl(['--namespace', namespaceOf('stage'), 'get', 'secrets', '--output', 'name']), /^$/);
    },
  },
  {
    name: 'kube-score finds nothing that is not explained',
    run: async (bench: Bench): Promise<void> => {
      const explained = bench
        .read('k8s/test-cluster/kube-score.txt')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => line.split(' ', 1)[0] ?? '');
      for (const environment of ENVIRONMENTS) {
        const found = await bench.attemptBinary(
          'kube-score',
          ['score', '--output-format', 'ci', ...explained.flatMap((test) => ['--ignore-test', test]), '-'],
          await bench.rendered(environment),
        );
        deepEqual(
          found.out.split('\n').filter((line) => /^\[(WARNING|CRITICAL)/.test(line)),
          [],
          environment,
        );
        equal(found.status, 0, found.said);
      }
    },
  },
];
