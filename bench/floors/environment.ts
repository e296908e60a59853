import { mongo } from 'mongoose';

/** What the bench hands to a floor. */
export const required = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is required`);
  return value;
};

/** One line of JSON for the bench. */
export const tell = (line: object): void => console.log(JSON.stringify(line));

export const openCollection = async (): Promise<{ client: mongo.MongoClient; collection: mongo.Collection }> => {
  const client = new mongo.MongoClient(required('MONGODB_URI'), {
    writeConcern: { w: 'majority', journal: true },
    enableUtf8Validation: false,
  });
  await client.connect();
  return { client, collection: client.db(required('FLOOR_DATABASE')).collection('notifications') };
};

/** A document as the product wrote it. */
export const sampleDocument = (): mongo.Document =>
  mongo.BSON.EJSON.parse(required('FLOOR_SAMPLE'), { relaxed: false }) as mongo.Document;
