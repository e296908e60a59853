// Downloads a mongod with mongodb-memory-server-core, which is installed in the folder given, and leaves its path
// in the file mongod-path there (the library prints its progress, so printing the path would not do).
// Fails within seconds where downloads are refused or do not answer. Used by mongodb.sh.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ANSWER_WITHIN_MS = 5000;
const folder = process.argv[2];
const load = createRequire(join(folder, 'package.json'));
const { MongoBinary } = load('mongodb-memory-server-core');
const { MongoBinaryDownloadUrl } = load('mongodb-memory-server-core/lib/util/MongoBinaryDownloadUrl');
const { DryMongoBinary } = load('mongodb-memory-server-core/lib/util/DryMongoBinary');

const options = { downloadDir: join(folder, 'binaries') };
const resolved = await DryMongoBinary.generateOptions(options);
const url = await new MongoBinaryDownloadUrl(resolved).getDownloadUrl();

// Ask first: the library's own download would keep trying for minutes.
const answer = await globalThis.fetch(url, {
  method: 'HEAD',
  signal: globalThis.AbortSignal.timeout(ANSWER_WITHIN_MS),
});
if (!answer.ok) throw new Error(`the download is refused with status ${answer.status}`);

writeFileSync(join(folder, 'mongod-path'), await MongoBinary.getPath(options));
