import { InvalidSettings, parseSettings } from '#config/settings';
import { startSandbox } from './sandbox.js';
import { sandboxSettings } from './settings.js';

try {
  const settings = parseSettings(sandboxSettings, process.env);
  const sandbox = await startSandbox(settings);
  console.log(
    `sandbox: ${sandbox.httpUrl} (page, FCM, Slack, /webhook/...), smtp://${settings.SANDBOX_HOST}:${sandbox.smtpPort}`,
  );
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void sandbox.close();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  console.error(error instanceof InvalidSettings ? error.message : error);
  process.exitCode = 1;
}
