import type { Probe } from './probe.ts';

/**
 * A service of the platform: up when `<base URL>/health` answers 2xx or, where there is no such page, when the base URL
 * answers below 500. A redirect is such an answer, and is not followed: where it leads to is not what the operator named. In the
 * place of the health page it says nothing of the service's health, and so is none.
 */
export function httpServiceProbe(baseUrl: string): Probe {
  async function statusOf(url: URL, signal: AbortSignal): Promise<number> {
    const asked: RequestInit = { headers: authorization(url), redirect: 'manual', signal };
    const response = await fetch(withoutCredentials(url), asked);
    await response.body?.cancel();
    return response.status;
  }

  return {
    async check(signal) {
      const base = new URL(baseUrl);
      const health = new URL(baseUrl);
      health.pathname = `${base.pathname.replace(/\/$/, '')}/health`;
      const status = await statusOf(health, signal);
      if (status >= 200 && status < 300) return;
      if (status !== 404) throw new Error(`answered HTTP ${status}`);
      const baseStatus = await statusOf(base, signal);
      if (baseStatus >= 500) throw new Error(`answered HTTP ${baseStatus}`);
    },
    // fetch's connections belong to the process and do not keep it alive.
    async close() {},
  };
}

/** fetch refuses URLs with credentials, and repeats them in its message. */
function withoutCredentials(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

function authorization({ username, password }: URL): Record<string, string> {
  if (!username && !password) return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}
