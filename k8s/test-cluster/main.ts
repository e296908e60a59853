import { spawn } from 'node:child_process';
import { createConnection, createServer, type Socket } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '#testing/processes';
import { runProgram } from '../../bench/program.js';
import { startServers } from '../../bench/servers.js';

/** The servers that apps inside reach, by the variable that says where each one is. */
const SERVERS = ['MONGODB_URI', 'RABBITMQ_URI', 'RABBITMQ_MANAGEMENT_URI'] as const;
const INSTANCE = 'test-cluster';

const joinSockets = (one: Socket, other: Socket): void => {
  one.pipe(other).pipe(one);
  for (const [socket, peer] of [
    [one, other],
    [other, one],
  ] as const)
    socket.on('error', () => undefined).on('close', () => peer.destroy());
};

/**
 * The cluster lives in a network of its own (unshare): nothing of it is seen outside, its ports are always free, and it
 * is gone with its last process. What is inside reaches MongoDB and RabbitMQ outside through sockets in a folder.
 */
await runProgram(async (cleanUps) => {
  const sockets = mkdtempSync(join(tmpdir(), 'carillon-'));
  cleanUps.add('the folder of sockets', () => Promise.resolve(rmSync(sockets, { recursive: true, force: true })));
  await startServers(INSTANCE, cleanUps);
  for (const name of SERVERS) {
    const { hostname, port } = new URL(process.env[name] ?? '');
    const server = createServer((inside) =>
      joinSockets(inside, createConnection({ host: hostname, port: Number(port) })),
    );
    await new Promise<void>((resolve) => server.listen(join(sockets, name), resolve));
    cleanUps.add(`the way to ${name}`, () => Promise.resolve(void server.close()));
  }
  mkdirSync(join(ROOT, '.carillon', INSTANCE), { recursive: true });
  const inside = spawn(
    'unshare',
    [
      ...(process.env['CARILLON_UNSHARE'] ?? '--net').split(' '),
      process.execPath,
      join(ROOT, 'dist', 'k8s', 'test-cluster', 'inside.js'),
      sockets,
      ...process.argv.slice(2),
    ],
    { stdio: 'inherit' },
  );
  const ended = new Promise<number>((resolve, reject) => {
    inside.once('error', reject);
    inside.once('exit', (code) => resolve(code ?? 1));
  });
  cleanUps.add('the cluster', async () => {
    if (inside.exitCode === null && inside.signalCode === null) inside.kill('SIGTERM');
    await ended;
  });
  return ended;
});
