/** Whoever is told to stop leaves what it has in hand. */
process.on('SIGTERM', () => process.exit(0));
