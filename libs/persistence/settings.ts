import { z } from 'zod';
import { integer, list } from '#config/settings';
import { ServiceName } from '#contracts/http/primitives';

/** Databases that MongoDB keeps for itself. */
const RESERVED = ['admin', 'local', 'config'];

const DatabaseName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,38}$/, 'must be 1 to 38 letters, digits, _ or -')
  .refine((name) => !RESERVED.includes(name), 'must not be a database of MongoDB itself');

export const databaseSettings = z.object({
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//, 'must begin with mongodb:// or mongodb+srv://')
    .meta({ description: 'Connection string of MongoDB, a replica set', example: 'mongodb://127.0.0.1:27017/' }),
  MONGODB_POOL_SIZE: integer(1, 500)
    .default(20)
    .meta({ description: 'Connections of one process to MongoDB, at most' }),
  CARILLON_SERVICES: list(
    ServiceName.refine((name) => !RESERVED.includes(name), 'must not be a database of MongoDB itself'),
  )
    .refine((names) => names.length > 0, 'must name at least one service')
    .refine((names) => new Set(names).size === names.length, 'must not name a service twice')
    .default(['diabetes', 'wellness', 'maternity', 'test'])
    .meta({ description: 'Services, each with a database of its own' }),
  CARILLON_DATABASE_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]{0,20}$/, 'must be at most 20 letters, digits, _ or -')
    .default('')
    .meta({ description: 'Stands before the name of every database' }),
  CARILLON_CONTROL_DATABASE: DatabaseName.default('carillon').meta({
    description: 'Database of everything that belongs to no single service',
  }),
  CARILLON_RETENTION_DAYS: integer(81, 3650)
    .default(90)
    .meta({ description: 'Days after which notifications are deleted; all are final after 80' }),
});
export type DatabaseSettings = z.output<typeof databaseSettings>;
