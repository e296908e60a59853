import { Worker } from 'node:worker_threads';
import { convert } from 'html-to-text';
import { Semaphore } from '#batching/semaphore';
import { BadTemplate } from './language.js';

/** MJML is made into HTML when a template is written, never when a notification is accepted. */

const DEADLINE_MS = 10_000;
const MEMORY_MB = 192;
const AT_ONCE = 1;
const MAX_HTML = 300_000;
const MAX_ERRORS = 3;

const threads = new Semaphore(AT_ONCE);
/** Beside this file, built or not. */
const WORKER = new URL(`./mjml-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

interface Converted {
  html: string;
  errors: string[];
}

const convertApart = (mjml: string, deadlineMs: number): Promise<Converted> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(WORKER, {
      workerData: mjml,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    const end = setTimeout(() => {
      reject(new BadTemplate(`takes longer than ${deadlineMs} ms to be made into HTML`));
      void worker.terminate();
    }, deadlineMs);
    worker.once('message', (converted: Converted) => {
      resolve(converted);
      void worker.terminate();
    });
    worker.once('error', () => reject(new BadTemplate('is no MJML that can be made into HTML')));
    worker.once('exit', () => {
      clearTimeout(end);
      reject(new BadTemplate('could not be made into HTML'));
    });
  });

/** @throws BadTemplate with what MJML says of it, or when it takes too long or too much memory */
export const htmlOfMjml = async (mjml: string, deadlineMs: number = DEADLINE_MS): Promise<string> => {
  const { html, errors } = await threads.run(() => convertApart(mjml, deadlineMs));
  if (errors.length > 0) throw new BadTemplate(errors.slice(0, MAX_ERRORS).join('; '));
  if (html.length > MAX_HTML) throw new BadTemplate(`becomes more than ${MAX_HTML} characters of HTML`);
  return html;
};

/**
 * The text part of an e-mail, still a template: what stands in {{ }} is left as it is. Takes up to 0.3 s.
 * @throws BadTemplate for elements in elements without end
 */
export const textOfHtml = (html: string): string => {
  try {
    return convertText(html);
  } catch (error) {
    if (error instanceof RangeError) throw new BadTemplate('has too many elements in one another');
    throw error;
  }
};

const convertText = (html: string): string =>
  convert(html, {
    wordwrap: false,
    selectors: [
      { selector: 'img', format: 'skip' },
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true, linkBrackets: ['(', ')'] } },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    ],
  }).trim();
