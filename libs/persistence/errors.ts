import { mongo } from 'mongoose';
import { Unavailable } from '#domain/errors';

/**
 * Codes with which a server says that it cannot serve right now: no primary, stepping down, shutting down, no majority
 * in time. https://www.mongodb.com/docs/manual/reference/error-codes/
 */
const NOT_NOW = new Set([6, 7, 50, 64, 89, 91, 100, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/** Whether MongoDB could not be reached or could not confirm: what was asked may or may not have happened. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof mongo.MongoNetworkError ||
  error instanceof mongo.MongoServerSelectionError ||
  error instanceof mongo.MongoNotConnectedError ||
  error instanceof mongo.MongoTopologyClosedError ||
  error instanceof mongo.MongoClientClosedError ||
  error instanceof mongo.MongoOperationTimeoutError ||
  error instanceof mongo.MongoWriteConcernError ||
  // Of the socket itself, which the driver passes on where it waits for it to drain.
  (error instanceof Error && 'syscall' in error && ['read', 'write'].includes(String(error.syscall))) ||
  // Thrown by mongoose while it connects for the first time.
  (error instanceof Error && error.name === 'MongooseServerSelectionError') ||
  (error instanceof mongo.MongoServerError && NOT_NOW.has(Number(error.code))) ||
  // The driver wraps what stops a bulk half way; an error of a document stands in `writeErrors` instead.
  (error instanceof mongo.MongoBulkWriteError && error.code === undefined && [error.writeErrors].flat().length === 0);

export const isDuplicateKey = (error: unknown): boolean =>
  error instanceof mongo.MongoServerError && error.code === 11000;

/** Whether a transaction failed for a reason of the moment, such as another one in its way. */
export const isTransient = (error: unknown): boolean =>
  error instanceof mongo.MongoError && error.hasErrorLabel('TransientTransactionError');

/** Whether a violated unique index is the one on `_id`, by the server's message: `... index: _id_ dup key: ...`. */
export const isAboutId = (message: string | undefined): boolean => message?.includes(' index: _id_ ') ?? false;

/** @throws Unavailable instead of the driver's errors of connection */
export const orUnavailable = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    throw Object.assign(new Unavailable('the database'), { cause: error });
  }
};
