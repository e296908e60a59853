import { mongo } from 'mongoose';
import { openCollection, required, sampleDocument, tell } from './environment.js';

/** insertMany of 1,000 documents at a time, one after the other. */
const SIZE = 1_000;

const { client, collection } = await openCollection();
const sample = sampleDocument();
const count = Number(required('FLOOR_COUNT'));
await collection.insertOne({ ...sample, _id: new mongo.ObjectId() });

const started = performance.now();
for (let from = 0; from < count; from += SIZE)
  await collection.insertMany(
    Array.from({ length: Math.min(SIZE, count - from) }, (_, index) => ({
      ...sample,
      _id: new mongo.ObjectId(),
      bulkIndex: from + index,
    })),
    { ordered: false },
  );
tell({ perSecond: (count / (performance.now() - started)) * 1000 });
await client.close();
