// A real quickstart on free ports, with its data in a directory of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const binary = process.env.KEYSTILE_BINARY ?? new URL('../../../bin/keystile', import.meta.url).pathname;
const startTimeout = 60_000;

/** The environment without what could sway a client or the server. */
export function cleanEnv(extra = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|KEYSTILE_|RCLONE_|NODE_)/.test(name));
  return {
    ...Object.fromEntries(kept), AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null', ...extra,
  };
}

/**
 * Collects what is to be undone when a file's tests or one test are done, last
 * first. It is called at the top of the file or test, as hooks cannot register
 * hooks.
 */
export function undoing(after) {
  const steps = [];
  after(async () => {
    for (const step of steps.reverse()) {
      await step();
    }
  });
  return (step) => { steps.push(step); };
}

/** Makes a directory that goes when the test or suite ends. */
export async function scratch(after) {
  const dir = await mkdtemp(join(tmpdir(), 'keystile-browser-'));
  after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/**
 * Starts the program; it ends when `after` runs. Its log is kept whole, at the
 * level that tells the most.
 */
export async function startServer(after, env = {}) {
  const data = await scratch(after);
  const args = ['quickstart', '--data', join(data, 'data'), '--listen', '127.0.0.1:0', '--s3-listen', '127.0.0.1:0', '--output', 'json'];
  const child = spawn(binary, args, { env: cleanEnv({ KEYSTILE_LOG_LEVEL: 'debug', ...env }), stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  after(async () => {
    child.kill('SIGINT');
    const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(force);
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { log += text; });
  const late = setTimeout(() => child.kill('SIGKILL'), startTimeout);
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([once(lines, 'line').then(([text]) => text), exited.then(() => undefined)]);
  clearTimeout(late);
  if (line === undefined) {
    throw new Error(`quickstart did not become ready:\n${log}`);
  }
  const ready = JSON.parse(line);
  return { ...ready, pid: child.pid, url: ready.dashboard_url, log: () => log, api: apiWith(ready.dashboard_url, { Authorization: `Bearer ${ready.api_token}` }) };
}

/**
 * Lets the embedded backend of a server stand still, as one that does not answer,
 * until what it gives is called, or the test ends.
 */
export async function pauseBackend(t, server) {
  const children = [];
  for (const thread of await readdir(`/proc/${server.pid}/task`)) {
    children.push(...(await readFile(`/proc/${server.pid}/task/${thread}/children`, 'utf8')).split(' ').filter(Boolean).map(Number));
  }
  if (children.length !== 1) {
    throw new Error(`the server has ${children.length} children, not its backend alone`);
  }
  const [backend] = children;
  const proceed = () => process.kill(backend, 'SIGCONT');
  process.kill(backend, 'SIGSTOP');
  t.after(proceed);
  return proceed;
}

/** Calls the JSON API directly; what is not 2xx is thrown. */
export function apiWith(url, headers) {
  return async (method, path, body) => {
    const answer = await request(url, headers, method, path, body);
    if (answer.status >= 300) {
      throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    }
    return answer.text === '' ? undefined : JSON.parse(answer.text);
  };
}

/** Calls the JSON API directly, and gives what it answered. */
export async function request(url, headers, method, path, body) {
  const response = await fetch(new URL(path, url), {
    method, headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }), redirect: 'manual',
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Makes an account and gives its password. */
export async function newAccount(server, name, role) {
  return (await server.api('POST', '/api/accounts', { name, role })).password;
}

/** Mints by the API, for tests of what comes after. */
export function newCredential(server, over = {}) {
  const grants = [{ backend: server.backend_id, bucket: 'uploads', permissions: ['read', 'list', 'write', 'delete'] }];
  return server.api('POST', '/api/credentials', { description: 'for a test', grants, ...over });
}
