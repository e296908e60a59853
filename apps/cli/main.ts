#!/usr/bin/env node
import 'reflect-metadata';
import { runCli } from './run.js';

/** A reader that has seen enough, as `head` has, is no error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

process.exitCode = await runCli(process.env);
