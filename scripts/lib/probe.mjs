// Asks a server whether it really answers, with nothing but Node's own library,
// so that it works before the dependencies are installed. Used by infra.sh and dev.sh:
//
//   probe.mjs mongodb URI [--seconds N] [--pid PID] [--replica-set NAME --member HOST:PORT]
//   probe.mjs amqp URI    [--seconds N] [--pid PID]
//   probe.mjs http URL    [--seconds N] [--pid PID]
//
// Tries until the server answers, N seconds are over, or process PID has ended.
// Status 0: it answers. Status 1: it does not, with the last reason on stderr.
import { Buffer } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import tls from 'node:tls';
import { URL } from 'node:url';

const [kind, uri, ...rest] = process.argv.slice(2);
const options = {};
for (let i = 0; i < rest.length; i += 2) options[rest[i].replace(/^--/, '')] = rest[i + 1];

const ATTEMPT_MS = 5000;
const PAUSE_MS = 100;

/**
 * Says hello over a fresh connection and hands what was received to `talk`, which returns nothing while
 * that is not enough, `{ rest }` when it has dealt with a part of it, and `{ answer }` at the end.
 */
function converse({ host, port, secure, hello, talk }) {
  return new Promise((resolve, reject) => {
    const socket = secure ? tls.connect({ host, port, servername: host }) : net.connect({ host, port });
    let received = Buffer.alloc(0);
    const write = (bytes) => socket.write(bytes);
    const end = (settle, value) => {
      socket.destroy();
      settle(value);
    };
    socket.setTimeout(ATTEMPT_MS, () => end(reject, new Error(`no answer within ${ATTEMPT_MS} ms`)));
    socket.once('error', (error) => end(reject, error));
    socket.once('close', () => reject(new Error('connection closed before the answer')));
    socket.once(secure ? 'secureConnect' : 'connect', () => socket.write(hello));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        for (let step = talk(received, write); step !== undefined; step = talk(received, write)) {
          if (step.answer !== undefined) return end(resolve, step.answer);
          received = step.rest;
        }
      } catch (error) {
        end(reject, error);
      }
    });
  });
}

// --- MongoDB: OP_MSG with as much BSON as this needs ---------------------------

function encodeBson(document) {
  const parts = [];
  for (const [name, value] of Object.entries(document)) {
    const key = Buffer.from(`${name}\0`);
    if (typeof value === 'string') {
      const text = Buffer.from(`${value}\0`);
      parts.push(Buffer.from([2]), key, int32(text.length), text);
    } else if (typeof value === 'number') {
      parts.push(Buffer.from([16]), key, int32(value));
    } else {
      parts.push(Buffer.from([Array.isArray(value) ? 4 : 3]), key, encodeBson(value));
    }
  }
  const body = Buffer.concat(parts);
  return Buffer.concat([int32(body.length + 5), body, Buffer.from([0])]);
}

/** Top-level strings, numbers and booleans of a document; the rest is stepped over. */
function decodeBson(bytes) {
  const found = {};
  const end = bytes.readInt32LE(0) - 1;
  for (let at = 4; at < end;) {
    const type = bytes[at];
    const stop = bytes.indexOf(0, at + 1);
    const name = bytes.toString('utf8', at + 1, stop);
    at = stop + 1;
    if (type === 1) found[name] = bytes.readDoubleLE(at);
    else if (type === 2) found[name] = bytes.toString('utf8', at + 4, at + 3 + bytes.readInt32LE(at));
    else if (type === 8) found[name] = bytes[at] === 1;
    else if (type === 16) found[name] = bytes.readInt32LE(at);
    const width = { 1: 8, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8, 19: 16 }[type];
    if (width !== undefined) at += width;
    else if (type === 2) at += 4 + bytes.readInt32LE(at);
    else if (type === 3 || type === 4) at += bytes.readInt32LE(at);
    else if (type === 5) at += 5 + bytes.readInt32LE(at);
    else throw new Error(`unexpected BSON type ${type} in the answer`);
  }
  return found;
}

function int32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function mongoCommand(address, command) {
  const body = Buffer.concat([int32(0), Buffer.from([0]), encodeBson({ ...command, $db: 'admin' })]);
  const hello = Buffer.concat([int32(16 + body.length), int32(1), int32(0), int32(2013), body]);
  const talk = (received) => {
    if (received.length < 4 || received.length < received.readInt32LE(0)) return undefined;
    return { answer: decodeBson(received.subarray(21)) };
  };
  return converse({ ...address, hello, talk });
}

async function probeMongo() {
  const plain = /^mongodb:\/\/(?:[^@/]*@)?([^:,/?]+)(?::(\d+))?(?:\/[^?]*)?(?:\?(.*))?$/.exec(uri);
  const secure = plain !== null && /(?:tls|ssl)=true/.test(plain[3] ?? '');
  if (plain === null || secure || /@/.test(uri)) return probeMongoByDriver();
  const address = { host: plain[1], port: Number(plain[2] ?? 27017) };
  let hello = await mongoCommand(address, { hello: 1 });
  if (options['replica-set'] !== undefined && hello.setName === undefined) {
    const members = [{ _id: 0, host: options.member }];
    const answer = await mongoCommand(address, { replSetInitiate: { _id: options['replica-set'], members } });
    // 23: there is a set already, but its only member had another port. Only the driver can rewrite that.
    if (answer.code === 23) await moveMember(address);
    else if (answer.ok !== 1) throw new Error(`replSetInitiate: ${answer.errmsg}`);
    hello = await mongoCommand(address, { hello: 1 });
  }
  if (hello.ok !== 1) throw new Error(hello.errmsg ?? 'hello was refused');
  if (hello.isWritablePrimary !== true && options['replica-set'] !== undefined) throw new Error('not primary yet');
  const ping = await mongoCommand(address, { ping: 1 });
  if (ping.ok !== 1) throw new Error(ping.errmsg ?? 'ping was refused');
}

function driver() {
  const load = createRequire(`${process.cwd()}/package.json`);
  try {
    // It comes with mongoose, which may keep it to itself.
    return createRequire(load.resolve('mongoose'))('mongodb');
  } catch {
    throw new Error('this needs the MongoDB driver: run "npm ci" first');
  }
}

async function probeMongoByDriver() {
  const client = new (driver().MongoClient)(uri, { serverSelectionTimeoutMS: ATTEMPT_MS });
  try {
    await client.db('admin').command({ ping: 1 });
  } finally {
    await client.close();
  }
}

async function moveMember({ host, port }) {
  const client = new (driver().MongoClient)(`mongodb://${host}:${port}/?directConnection=true`);
  try {
    const admin = client.db('admin');
    const { config } = await admin.command({ replSetGetConfig: 1 });
    if (config.members[0].host === options.member) return;
    config.members[0].host = options.member;
    config.version += 1;
    await admin.command({ replSetReconfig: config, force: true });
  } finally {
    await client.close();
  }
}

// --- RabbitMQ: a real login, with virtual host, and a farewell ---------------------------

function probeAmqp() {
  const { protocol, hostname, port, username, password, pathname } = new URL(uri);
  const vhost = decodeURIComponent(pathname.replace(/^\//, '')) || '/';
  const secure = protocol === 'amqps:';
  const method = (classId, methodId, ...fields) => {
    const payload = Buffer.concat([Buffer.from([0, classId, 0, methodId]), ...fields]);
    const head = Buffer.alloc(7);
    head[0] = 1;
    head.writeUInt32BE(payload.length, 3);
    return Buffer.concat([head, payload, Buffer.from([0xce])]);
  };
  const short = (text) => Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);
  const long = (content) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(Buffer.byteLength(content));
    return Buffer.concat([size, Buffer.from(content)]);
  };
  const login = `\0${decodeURIComponent(username || 'guest')}\0${decodeURIComponent(password || 'guest')}`;
  // So that a refused login is told, and not just a closed connection.
  const tellRefusal = Buffer.concat([short('authentication_failure_close'), Buffer.from('t\x01')]);
  const properties = Buffer.concat([short('capabilities'), Buffer.from('F'), long(tellRefusal)]);
  const startOk = method(10, 11, long(properties), short('PLAIN'), long(login), short('en_US'));
  const talk = (received, write) => {
    if (received.length < 8 || received.length < 8 + received.readUInt32BE(3)) return undefined;
    const size = 8 + received.readUInt32BE(3);
    const step = received.readUInt16BE(9);
    const arguments_ = received.subarray(11, size - 1);
    if (step === 10) write(startOk);
    else if (step === 30)
      write(Buffer.concat([method(10, 31, arguments_), method(10, 40, short(vhost), Buffer.from([0, 0]))]));
    else if (step === 50) throw new Error(`refused: ${arguments_.toString('utf8', 3, 3 + arguments_[2])}`);
    else if (step === 41) write(method(10, 50, Buffer.from([0, 200]), short('done'), Buffer.alloc(4)));
    return step === 51 ? { answer: true } : { rest: received.subarray(size) };
  };
  return converse({
    host: hostname,
    port: Number(port || (secure ? 5671 : 5672)),
    secure,
    hello: Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
    talk,
  });
}

async function probeHttp() {
  const answer = await globalThis.fetch(uri, { signal: globalThis.AbortSignal.timeout(ATTEMPT_MS) });
  if (!answer.ok) throw new Error(`status ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
}

// -----------------------------------------------------------------------------

const probe = { mongodb: probeMongo, amqp: probeAmqp, http: probeHttp }[kind];
if (probe === undefined || uri === undefined) {
  console.error('usage: probe.mjs mongodb|amqp|http URI [--seconds N] [--pid PID]');
  process.exit(2);
}

function processHasEnded() {
  if (options.pid === undefined) return false;
  try {
    process.kill(Number(options.pid), 0);
    // A zombie still has its number, but no arguments any more.
    const arguments_ = `/proc/${options.pid}/cmdline`;
    return existsSync(arguments_) && readFileSync(arguments_).length === 0;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

const deadline = Date.now() + Number(options.seconds ?? 0) * 1000;
for (;;) {
  try {
    await probe();
    process.exit(0);
  } catch (error) {
    const reason = error.errors?.[0]?.message ?? error.cause?.message ?? error.message;
    if (processHasEnded()) {
      console.error(`its process has ended (${reason})`);
      process.exit(1);
    }
    if (Date.now() >= deadline) {
      console.error(reason);
      process.exit(1);
    }
  }
  await pause(PAUSE_MS);
}
