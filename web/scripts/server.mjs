// A quickstart of the real binary in a directory of its own, for scripts that
// look at the dashboard.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Starts it. Answers its ready line, a caller of its API, and a way to stop it. */
export async function startServer(binary) {
  const data = mkdtempSync(join(tmpdir(), 'keystile-'));
  const child = spawn(binary, ['quickstart', '--data', join(data, 'data'), '--listen', '127.0.0.1:0', '--s3-listen', '127.0.0.1:0', '--output', 'json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
  const line = await Promise.race([new Promise((resolve) => createInterface(child.stdout).once('line', resolve)), ended]);
  if (typeof line !== 'string') {
    throw new Error(`${binary} ended with ${line}`);
  }
  const ready = JSON.parse(line);
  const call = async (method, path, body) => {
    const response = await fetch(ready.dashboard_url + path, {
      method,
      headers: { authorization: `Bearer ${ready.api_token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${text}`);
    }
    return text === '' ? undefined : JSON.parse(text);
  };
  return { ready, call, stop };
}
