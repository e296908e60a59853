import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from '#testing/processes';
import type { CleanUps } from '../bench/program.js';
import { startServers } from '../bench/servers.js';
import { SCENARIOS } from './scenarios/all.js';
import type { Scenario } from './stage.js';
import { isGreen, type Verdict } from './verdict.js';

/** Platforms side by side where no server is killed: most of the time they wait for leases to end. */
const SIDE_BY_SIDE = 2;

interface Play {
  name: string;
  scenario: Scenario;
  sabotaged: boolean;
}

/** A scenario as a process of its own, on servers that are up. @throws Error with what it said, when it came to no verdict */
const run = async (
  { name, scenario, sabotaged }: Play,
  instance: string,
  cleanUps: CleanUps,
): Promise<{ verdict: Verdict; said: string }> => {
  const args = [name, '--json', '--count', String(scenario.smallCount), '--instance', instance];
  const child = spawn(
    process.execPath,
    [join(ROOT, 'dist', 'chaos', 'main.js'), ...args, ...(sabotaged ? ['--sabotage'] : [])],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  cleanUps.add(name, async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  });
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  if (out.trim() === '') throw new Error(`${name} came to no verdict:\n${said}`);
  return { verdict: JSON.parse(out) as Verdict, said };
};

/** A green scenario is one that lost and doubled nothing; a sabotaged one must be found out. */
const isAsExpected = (verdict: Verdict): boolean => isGreen(verdict) === (verdict.sabotage === null);

const line = (verdict: Verdict): string => {
  const { scenario, sabotage, accepted, sent, lost, duplicates, redelivered, inHand, seconds, failedRequests } =
    verdict;
  const what = `${scenario}${sabotage === null ? '' : ` with ${sabotage}`}`;
  const figures = `accepted ${accepted}, sent ${sent}, lost ${lost}, duplicates ${duplicates}, redelivered ${redelivered} of ${inHand} in hand, ${failedRequests === 0 ? '' : `${failedRequests} requests failed, `}${seconds} s`;
  return `${isAsExpected(verdict) ? 'passed' : 'FAILED'}  ${what.padEnd(34)}${figures}`;
};

/**
 * A small count of every scenario, and of every sabotage, which must turn red. What kills servers has others than the
 * rest, so that both go on at the same time. @returns how many were not as they must be
 */
export const runSmall = async (instance: string, json: boolean, cleanUps: CleanUps): Promise<number> => {
  const killed = `${instance}-killed`;
  await startServers(killed, cleanUps);
  let passed = 0;
  let failed = 0;
  const play = async (one: Play, servers: string): Promise<void> => {
    try {
      const { verdict, said } = await run(one, servers, cleanUps);
      console.log(json ? JSON.stringify(verdict) : line(verdict));
      if (isAsExpected(verdict)) {
        passed += 1;
        return;
      }
      // What tells most comes first: a reader may see no more than the beginning.
      console.error([...verdict.missing, said].join('\n'));
    } catch (error) {
      console.error(`FAILED  ${one.name}${one.sabotaged ? ' with its sabotage' : ''}:`, error);
    }
    failed += 1;
  };
  const plays = Object.entries(SCENARIOS).flatMap(([name, scenario]) => [
    { name, scenario, sabotaged: true },
    { name, scenario, sabotaged: false },
  ]);
  const inTurn = async (queue: Play[], servers: string): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !cleanUps.begun; next = queue.shift())
      await play(next, servers);
  };
  const killing = plays.filter(({ scenario }) => scenario.killsServers);
  const others = plays.filter(({ scenario }) => !scenario.killsServers);
  await Promise.all([inTurn(killing, killed), ...Array.from({ length: SIDE_BY_SIDE }, () => inTurn(others, instance))]);
  console.log(`${passed} passed, ${failed} failed`);
  return failed;
};
