/** What a bench found. Times are milliseconds. */
export interface Figure {
  bench: string;
  value: number;
  unit: string;
  /** The same work without the product, measured in the same run; null where there is nothing to compare with. */
  floor: number | null;
  /** value / floor */
  ratio: number | null;
  /** Whether it is what docs/performance.md asks of it. */
  reached: boolean;
  [more: string]: unknown;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The least value that at least this share of all is not above. 0 of nothing. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
};

export const round = (value: number, digits = 1): number => Number(value.toFixed(digits));

export const latencyOf = (latencies: readonly number[]): { p50: number; p99: number } => ({
  p50: round(quantile(latencies, 0.5)),
  p99: round(quantile(latencies, 0.99)),
});

/** Medians of the rounds against each other. */
export const compared = (
  values: readonly number[],
  floors: readonly number[],
): { value: number; floor: number; ratio: number } => {
  const value = median(values);
  const floor = median(floors);
  return { value: round(value), floor: round(floor), ratio: round(value / floor, 3) };
};

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** For people: one line each. */
export const describe = ({ bench, value, unit, floor, ratio, reached, ...more }: Figure): string => {
  const lines = [`${bench}: ${value} ${unit}`];
  if (floor !== null) lines.push(`floor: ${floor} ${unit}, ratio ${ratio ?? 0}`);
  for (const [name, found] of Object.entries(more)) lines.push(`${name}: ${text(found)}`);
  lines.push(reached ? 'reached' : 'NOT REACHED');
  return lines.join('\n  ');
};
