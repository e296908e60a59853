import { parentPort, workerData } from 'node:worker_threads';
import mjml from 'mjml-core';
import preset from 'mjml-preset-core';

/** A thread of its own: whoever waits for it can end it. Nothing is read from files (`ignoreIncludes`). */
const { html, errors } = await mjml.default(String(workerData), {
  presets: [preset],
  validationLevel: 'soft',
  ignoreIncludes: true,
});
parentPort?.postMessage({ html, errors: errors.map(({ line, message }) => `line ${line}: ${message}`) });
