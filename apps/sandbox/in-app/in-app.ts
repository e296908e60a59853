import type { Provider } from '../provider.js';

/** The inbox is Carillon's own: nothing arrives here, and a fault strikes nothing. */
export const inApp: Provider = {
  faultRules: {
    stages: ['send'],
    usualStage: () => 'send',
    problem: () => null,
  },
  start: () => Promise.resolve({ routes: [], port: null, certificate: null, close: () => Promise.resolve() }),
  describe: () => Promise.resolve({ title: null, text: '', content: null }),
};
