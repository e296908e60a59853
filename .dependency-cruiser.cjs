/** The walls of the house: see ARCHITECTURE.md. Each rule is a sentence; there are no exceptions but those written here. */
const USE_CASES = 'acceptance|outbox|delivery|lifecycle|upkeep|queries|access|inbox|templates|limits|providers';
const ADAPTERS = 'persistence|messaging|channels|egress';
/** Tests, and what only tests of one folder share. */
const SPEC = '(\\.spec|/spec-[a-z]+)\\.ts$';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'apps-never-import-apps',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: SPEC },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'the-command-line-knows-only-the-contract',
      comment: 'It is a client as any other: what it does, others can do over HTTP.',
      severity: 'error',
      from: { path: '^apps/cli/', pathNot: SPEC },
      to: { path: '^libs/', pathNot: '^libs/(contracts|config)/' },
    },
    {
      name: 'nest-commander-only-in-the-command-line',
      severity: 'error',
      from: { pathNot: ['^apps/cli/', SPEC] },
      to: { path: 'node_modules/nest-commander' },
    },
    {
      name: 'libs-never-import-apps',
      comment: 'Specs may drive the sandbox.',
      severity: 'error',
      from: { path: '^libs/', pathNot: [SPEC, '^libs/testing/'] },
      to: { path: '^(apps|e2e|bench|chaos)/' },
    },
    {
      name: 'contracts-import-nothing-of-ours',
      severity: 'error',
      from: { path: '^libs/contracts/' },
      to: { path: '^libs/', pathNot: '^libs/contracts/' },
    },
    {
      name: 'domain-imports-only-contracts',
      comment: 'The numbering plans of the world are data that no rule of ours can replace.',
      severity: 'error',
      from: { path: '^libs/domain/', pathNot: SPEC },
      to: {
        path: ['^libs/', 'node_modules'],
        pathNot: ['^libs/(domain|contracts)/', 'node_modules/libphonenumber-js/'],
      },
    },
    {
      name: 'use-cases-never-import-each-other',
      severity: 'error',
      from: { path: `^libs/(${USE_CASES})/`, pathNot: SPEC },
      to: { path: `^libs/(${USE_CASES})/`, pathNot: '^libs/$1/' },
    },
    {
      name: 'use-cases-never-import-adapters-or-nest',
      severity: 'error',
      from: { path: `^libs/(${USE_CASES}|domain|batching)/`, pathNot: SPEC },
      to: { path: [`^libs/(${ADAPTERS}|composition)/`, 'node_modules/(@nestjs|mongoose|mongodb|amqplib|fastify)'] },
    },
    {
      name: 'adapters-see-of-use-cases-only-their-ports',
      severity: 'error',
      from: { path: `^libs/(${ADAPTERS})/`, pathNot: SPEC },
      to: { path: `^libs/(${USE_CASES}|composition)/`, pathNot: '/ports\\.ts$' },
    },
    {
      name: 'adapters-never-import-each-other',
      comment: 'HTTP goes out through egress, webhooks through its guard.',
      severity: 'error',
      from: { path: `^libs/(${ADAPTERS})/`, pathNot: SPEC },
      to: { path: `^libs/(${ADAPTERS})/`, pathNot: ['^libs/$1/', '^libs/egress/'] },
    },
    {
      name: 'amqplib-only-in-messaging',
      severity: 'error',
      from: { pathNot: ['^libs/(messaging|testing)/', '^(bench|chaos|e2e)/', SPEC] },
      to: { path: 'node_modules/amqplib' },
    },
    {
      name: 'mongoose-only-in-persistence',
      severity: 'error',
      from: { pathNot: ['^libs/(persistence|testing)/', '^(bench|chaos|e2e)/', SPEC] },
      to: { path: 'node_modules/(mongoose|mongodb|@nestjs/mongoose)' },
    },
    {
      name: 'provider-libraries-only-in-channels',
      severity: 'error',
      from: { pathNot: ['^libs/channels/', '^(bench|chaos|e2e)/', SPEC] },
      to: { path: 'node_modules/(firebase-admin|nodemailer|@slack|cockatiel)' },
    },
    {
      name: 'template-libraries-only-in-templates',
      severity: 'error',
      from: { pathNot: ['^libs/templates/', SPEC] },
      to: { path: 'node_modules/(handlebars|mjml-|html-to-text)' },
    },
    {
      name: 'jose-only-in-inbox',
      severity: 'error',
      from: { pathNot: ['^libs/inbox/', SPEC] },
      to: { path: 'node_modules/jose/' },
    },
    {
      name: 'opentelemetry-only-in-observability',
      severity: 'error',
      from: { pathNot: ['^libs/observability/', SPEC] },
      to: { path: 'node_modules/@opentelemetry' },
    },
    {
      name: 'provider-libraries-not-reachable-from-gateway-and-scheduler',
      severity: 'error',
      from: { path: '^apps/(notification-api|scheduler)/', pathNot: SPEC },
      to: { path: 'node_modules/(firebase-admin|nodemailer|@slack|cockatiel)', reachable: true },
    },
    {
      name: 'testing-only-from-tests',
      severity: 'error',
      from: {
        path: '^(apps|libs)/',
        pathNot: [SPEC, '^libs/testing/', '^libs/channels/conformance'],
      },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'what-only-tests-share-is-for-tests',
      severity: 'error',
      from: { pathNot: [SPEC, '^libs/testing/', '^(bench|chaos|e2e)/'] },
      to: { path: SPEC },
    },
    {
      name: 'only-composition-sees-use-cases-and-adapters',
      severity: 'error',
      from: { path: `^libs/(contracts|domain|batching|config|observability)/`, pathNot: SPEC },
      to: { path: `^libs/(${USE_CASES}|${ADAPTERS}|composition)/` },
    },
    {
      name: 'not-to-dev-dependencies',
      severity: 'error',
      from: { path: '^(apps/(?!sandbox)|libs/)', pathNot: [SPEC, '^libs/testing/', '^libs/channels/conformance'] },
      to: { dependencyTypes: ['npm-dev'] },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
