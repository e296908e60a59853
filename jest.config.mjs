import { readdirSync } from 'node:fs';

// jest does not resolve the subpath imports of package.json: the same mapping, for our libs alone.
const libs = readdirSync(new URL('libs', import.meta.url)).join('|');

const swc = {
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

const shared = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  // Sources name the file that is built from them; `x.json.js` is a file of its own, in libraries.
  moduleNameMapper: { '^(\\.{1,2}/.*)(?<!\\.json)\\.js$': '$1', [`^#((?:${libs})/.+)$`]: '<rootDir>/libs/$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.carillon/'],
};

/** Specs stand beside their source: `x.spec.ts` needs no server, `x.int.spec.ts` needs MongoDB and RabbitMQ, `e2e/` drives built apps, or images of them. */
export default {
  coverageProvider: 'v8',
  coverageDirectory: 'coverage/jest',
  coverageReporters: ['json'],
  collectCoverageFrom: ['apps/**/*.ts', 'libs/**/*.ts', '!**/*.spec.ts', '!libs/testing/**', '!apps/sandbox/**'],
  testTimeout: 60_000,
  // jest leaves one core idle, and so works on one of two.
  maxWorkers: 2,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,libs,e2e,bench,chaos}/**/*.spec.ts'],
      testPathIgnorePatterns: ['\\.(int|e2e|images)\\.spec\\.ts$', '/node_modules/'],
    },
    { ...shared, displayName: 'integration', testMatch: ['<rootDir>/{apps,libs}/**/*.int.spec.ts'] },
    { ...shared, displayName: 'e2e', testMatch: ['<rootDir>/e2e/**/*.e2e.spec.ts'] },
    { ...shared, displayName: 'images', testMatch: ['<rootDir>/e2e/**/*.images.spec.ts'] },
  ],
};
