import { MongoBulkStore } from '#persistence/bulks/bulk-store';

/** A bulk owes nothing for its items once it runs: what could not be published is forgotten. */
const run = Object.getOwnPropertyDescriptor(MongoBulkStore.prototype, 'run')?.value as MongoBulkStore['run'];

MongoBulkStore.prototype.run = async function (this: MongoBulkStore, id, accepted, refusals) {
  await run.call(this, id, accepted, refusals);
  await this.told(id);
};
