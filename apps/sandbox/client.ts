import { parseSettings } from '#config/settings';
import { type RunningSandbox, startSandbox } from './sandbox.js';
import { sandboxSettings } from './settings.js';

/** A sandbox on free ports, with its JSON API at hand; for specs and benches. */
export interface SandboxClient extends RunningSandbox {
  /** The answer's JSON, whatever its status. */
  call: (path: string, options?: { method?: string; body?: unknown }) => Promise<unknown>;
}

export const startSandboxClient = async (environment: NodeJS.ProcessEnv = {}): Promise<SandboxClient> => {
  const settings = parseSettings(sandboxSettings, { SANDBOX_PORT: '0', SANDBOX_SMTP_PORT: '0', ...environment });
  const sandbox = await startSandbox(settings);
  return {
    ...sandbox,
    call: async (path, { method = 'GET', body } = {}) => {
      const response = await fetch(`${sandbox.httpUrl}${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return response.json();
    },
  };
};
