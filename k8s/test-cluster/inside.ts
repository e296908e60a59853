import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { startHouse } from '#testing/house';
import { ROOT } from '#testing/processes';
import { runProgram } from '../../bench/program.js';
import { Bench, PORTS } from './bench.js';
import { deploying } from './cases/deploying.js';
import { manifests } from './cases/manifests.js';
import { monitoring } from './cases/monitoring.js';
import { running } from './cases/running.js';
import { startControlPlane } from './control-plane.js';

const CASES = [...manifests, ...deploying, ...running, ...monitoring];
const FOLDER = join(ROOT, '.carillon', 'test-cluster');

await runProgram(async (cleanUps) => {
  const [sockets = '', only = ''] = process.argv.slice(2);
  const binaries = process.env['CARILLON_TEST_CLUSTER'] ?? '';
  const control = await startControlPlane(binaries, join(FOLDER, 'control-plane'), cleanUps);
  for (const name of ['MONGODB_URI', 'RABBITMQ_URI', 'RABBITMQ_MANAGEMENT_URI']) {
    const server = createServer((client) => {
      const outside = createConnection(join(sockets, name));
      client.pipe(outside).pipe(client);
      client.on('error', () => undefined).on('close', () => outside.destroy());
      outside.on('error', () => undefined).on('close', () => client.destroy());
    });
    const port = Number(new URL(process.env[name] ?? '').port);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    cleanUps.add(`the way to ${name}`, () => Promise.resolve(void server.close()));
  }
  const house = await startHouse({
    name: 'cluster',
    gateways: 0,
    dispatchers: 0,
    schedulers: 0,
    env: { NOTIFICATION_API_HOST: '0.0.0.0', DISPATCHER_HOST: '0.0.0.0', SCHEDULER_HOST: '0.0.0.0' },
  });
  cleanUps.add('the apps', () => house.stop());
  await house.start('notification-api', 'notification-api', PORTS['notification-api']);
  const dispatcher = await house.start('dispatcher', 'dispatcher', PORTS.dispatcher);
  await house.start('scheduler', 'scheduler', PORTS.scheduler);
  const bench = new Bench(control, binaries, Bench.copyCheckout(join(FOLDER, 'checkout')), house, dispatcher);

  if (only === '--shell') {
    const shell = spawn('bash', [], { stdio: 'inherit', cwd: bench.checkout, env: bench.environment() });
    await once(shell, 'exit');
    return 0;
  }

  let passed = 0;
  let failed = 0;
  for (const { name, run } of CASES) {
    if (cleanUps.begun) return 1;
    if (!name.includes(only)) continue;
    const started = performance.now();
    try {
      await run(bench);
      passed += 1;
      console.log(`passed  ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n`, error);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
});
