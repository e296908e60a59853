import type { Settled } from '#batching/group-commit';
import { type GroupPlan, grouped } from '#domain/groups';
import { NoTarget } from '#domain/errors';
import type { Notification } from '#domain/notification';
import type { Accepted, Candidate } from './candidate.js';

/** Notifications of one group are accepted together, or not at all. */

type Verdict = Settled<Accepted> | undefined;

const indexesByGroup = (candidates: readonly Candidate[]): Map<string, number[]> => {
  const groups = new Map<string, number[]>();
  candidates.forEach(({ notification, plan }, index) => {
    if (plan === undefined || notification.groupId === null) return;
    const known = groups.get(notification.groupId);
    if (known === undefined) groups.set(notification.groupId, [index]);
    else known.push(index);
  });
  return groups;
};

const errorOf = (verdict: Verdict): Error | null =>
  verdict !== undefined && 'error' in verdict ? verdict.error : null;

/**
 * Makes groups of those that passed every check so far. One refused member refuses its group, but that a fallback leaves
 * out the channels on which the recipient has no target, as long as one is left.
 * @param verdicts of these candidates; those of groups that are refused are added
 * @returns the candidates, with members as they are to be written
 */
export const formGroups = (candidates: readonly Candidate[], verdicts: Verdict[]): readonly Candidate[] => {
  const groups = indexesByGroup(candidates);
  if (groups.size === 0) return candidates;
  const formed = [...candidates];
  for (const indexes of groups.values()) {
    const open = indexes.filter((index) => verdicts[index] === undefined);
    const plan = candidates[indexes[0] ?? 0]?.plan;
    if (open.length === 0 || plan === undefined) continue;
    const refusals = indexes.flatMap((index) => errorOf(verdicts[index]) ?? []);
    const [refusal] = refusals;
    if (refusal !== undefined && !(plan.mode === 'fallback' && refusals.every((error) => error instanceof NoTarget))) {
      for (const index of open) verdicts[index] = { error: refusal };
      continue;
    }
    form(formed, open, {
      ...plan,
      skipped: indexes
        .filter((index) => !open.includes(index))
        .flatMap((index) => candidates[index]?.notification.channel ?? []),
    });
  }
  return formed;
};

const form = (formed: Candidate[], open: readonly number[], plan: GroupPlan): void => {
  const members = grouped(
    open.flatMap((index) => formed[index]?.notification ?? []),
    plan,
  );
  open.forEach((index, at) => {
    const candidate = formed[index];
    const notification = members[at];
    if (candidate !== undefined && notification !== undefined) formed[index] = { ...candidate, notification };
  });
};

/** Refuses the rest of the groups of which a member got no place. @returns whose places are to be given back */
export const withdrawn = (
  candidates: readonly Candidate[],
  placed: ReadonlyMap<number, Notification>,
  verdicts: Verdict[],
): number[] =>
  [...indexesByGroup(candidates).values()].flatMap((indexes) => {
    const mine = indexes.filter((index) => placed.has(index));
    // Left out is not refused.
    const refusal = indexes
      .filter((index) => !placed.has(index) && candidates[index]?.notification.group !== null)
      .map((index) => errorOf(verdicts[index]))
      .find((error) => error !== null);
    if (refusal === undefined) return [];
    for (const index of mine) verdicts[index] = { error: refusal };
    return mine;
  });

/** What became of a group: those that were accepted, or why it was not. */
export const verdictOf = (verdicts: readonly Settled<Accepted>[]): Settled<Accepted[]> => {
  const accepted = verdicts.flatMap((verdict) => ('value' in verdict ? [verdict.value] : []));
  const refused = verdicts.find((verdict) => 'error' in verdict);
  return accepted.length > 0 || refused === undefined ? { value: accepted } : refused;
};
