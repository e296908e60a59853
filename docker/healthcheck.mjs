// HEALTHCHECK of the images: asks the app in this container for /health, on the address and port that it was given.
//
//   node healthcheck.mjs PREFIX PORT [PATH]   PREFIX_HOST and PREFIX_PORT are the app's variables, PORT is its default
const [prefix, port, path = '/health'] = process.argv.slice(2);
const host = process.env[`${prefix}_HOST`] || '0.0.0.0';
const any = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };
const url = `http://${any[host] ?? host}:${process.env[`${prefix}_PORT`] || port}${path}`;

try {
  const response = await fetch(url, { signal: AbortSignal.timeout(4_000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
} catch (error) {
  console.error(`${url}: ${error.cause?.message || error.message}`);
  process.exitCode = 1;
}
