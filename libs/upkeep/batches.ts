/** Changes made side by side; each is one compare-and-set. */
const SIDE_BY_SIDE = 20;

/** Handles items some at a time; answers how many said that they were handled. */
export const handleEach = async <T>(items: readonly T[], handle: (item: T) => Promise<boolean>): Promise<number> => {
  let handled = 0;
  for (let from = 0; from < items.length; from += SIDE_BY_SIDE) {
    const results = await Promise.all(items.slice(from, from + SIDE_BY_SIDE).map(handle));
    handled += results.filter(Boolean).length;
  }
  return handled;
};

/** Handles what `find` answers until it has no more than what was handled; answers how many in all. */
export const handleAll = async <T>(
  limits: { batch: number; batches: number },
  find: (limit: number) => Promise<readonly T[]>,
  handle: (item: T) => Promise<boolean>,
): Promise<number> => {
  let handled = 0;
  for (let batch = 0; batch < limits.batches; batch += 1) {
    const items = await find(limits.batch);
    const done = await handleEach(items, handle);
    handled += done;
    // What others were faster with, or could not be handled, would be found again.
    if (items.length < limits.batch || done === 0) break;
  }
  return handled;
};
