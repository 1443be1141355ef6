// A real Ceph RGW of the test's own, in memory, gone with it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { run } from './s3.mjs';

const script = new URL('../../ceph/ceph.sh', import.meta.url).pathname;

/** Whether a Ceph can be started here. */
export async function hasCeph() {
  const needed = ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin'];
  const found = await run('sh', ['-c', needed.map((program) => `command -v ${program}`).join(' && ')]);
  return found.code === 0;
}

/** Starts a Ceph; it ends when `after` runs, and with this process. */
export async function startCeph(after) {
  const dir = join(tmpdir(), `keystile-browser-ceph-${process.pid}`);
  const child = spawn(script, ['run', dir], { stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  after(async () => {
    child.stdin.end();
    await exited;
  });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { complaints += text; });
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line').then(([text]) => text), exited.then(() => undefined)]);
  if (line !== 'ready') {
    throw new Error(`the Ceph did not come up:\n${complaints}`);
  }
  const env = Object.fromEntries((await readFile(join(dir, 'admin.env'), 'utf8')).trim().split('\n').map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
  return {
    s3_endpoint: env.CEPH_ENDPOINT, access_key_id: env.CEPH_ACCESS_KEY_ID, secret_access_key: env.CEPH_SECRET_ACCESS_KEY,
    /** radosgw-admin, by which people change things behind the gateway's back. */
    admin: async (...args) => {
      const done = await run('radosgw-admin', ['-c', join(dir, 'ceph.conf'), '-n', 'client.admin', '--no-mon-config', ...args]);
      if (done.code !== 0) {
        throw new Error(`radosgw-admin ${args[0]} ${args[1]}: ${done.all}`);
      }
      return done.stdout;
    },
  };
}
