import type { mongo } from 'mongoose';

/** Connections of one client, to all its servers. */
export interface PoolFigures {
  open: number;
  inUse: number;
  /** Operations that wait for a connection. */
  waiting: number;
}

/**
 * Counts as the driver tells.
 * https://github.com/mongodb/specifications/blob/master/source/connection-monitoring-and-pooling/connection-monitoring-and-pooling.md
 */
export const watchPool = (client: mongo.MongoClient): PoolFigures => {
  const figures: PoolFigures = { open: 0, inUse: 0, waiting: 0 };
  client.on('connectionCreated', () => (figures.open += 1));
  client.on('connectionClosed', () => (figures.open -= 1));
  client.on('connectionCheckOutStarted', () => (figures.waiting += 1));
  client.on('connectionCheckOutFailed', () => (figures.waiting -= 1));
  client.on('connectionCheckedOut', () => {
    figures.waiting -= 1;
    figures.inUse += 1;
  });
  client.on('connectionCheckedIn', () => (figures.inUse -= 1));
  return figures;
};
