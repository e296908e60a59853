#!/usr/bin/env node
import 'reflect-metadata';
import { runCli } from './run.js';

process.exitCode = await runCli(process.env);
