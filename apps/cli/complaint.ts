import { InvalidSettings } from '#config/settings';
import { ApiProblem } from './api.js';
import { BadUsage, Failed, Unreachable } from './exit.js';

/** An error as a person reads it, and as a program does. */
export interface Complaint {
  lines: string[];
  value: object;
}

const HINTS: Readonly<Record<string, string>> = {
  unauthorized: 'Is CARILLON_API_KEY, or the key of the profile, right?',
  insufficient_scope: 'A key with that scope is needed.',
};

const ofProblem = ({ problem, retryAfter }: ApiProblem): Complaint => {
  const hint = HINTS[problem.code];
  return {
    lines: [
      `${problem.title}: ${problem.detail}`,
      ...(problem.errors ?? []).map(({ in: place, field, message }) => `  ${field === '' ? place : field} ${message}`),
      ...(problem.state === undefined ? [] : [`  it is ${problem.state}`]),
      ...(problem.allowed === undefined || problem.allowed.length === 0
        ? []
        : [`  possible now: ${problem.allowed.join(', ')}`]),
      ...(retryAfter === null ? [] : [`  try again in ${retryAfter} s`]),
      ...(hint === undefined ? [] : [`  ${hint}`]),
      `  ${problem.code}, request ${problem.requestId}`,
    ],
    value: { error: problem },
  };
};

const EXPECTED = [BadUsage, Failed, Unreachable, InvalidSettings];

/** What to tell about an error; an unexpected one with its stack, since it is ours. */
export const complaintOf = (error: unknown): Complaint => {
  if (error instanceof ApiProblem) return ofProblem(error);
  if (!(error instanceof Error)) return { lines: [String(error)], value: { error: { detail: String(error) } } };
  const expected = EXPECTED.some((kind) => error instanceof kind);
  const text = expected ? error.message : (error.stack ?? error.message);
  return { lines: text.split('\n'), value: { error: { code: error.name, detail: error.message } } };
};
