// Every snippet that the page offers is copied from it and run as it stands.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { assertQuiet, openSignedIn, startBrowser } from './lib/browser.mjs';
import { copied, mint, visit } from './lib/pages.mjs';
import { listing, run } from './lib/s3.mjs';
import { cleanEnv, newAccount, newCredential, scratch, startServer, undoing } from './lib/server.mjs';

const repository = new URL('../..', import.meta.url).pathname;
const modules = new URL('node_modules', import.meta.url).pathname;

/** As the hint beside each says: which program it needs, and how the text is run. */
const clients = {
  'aws-cli': ['aws', pasted],
  'aws-cli profile': ['aws', pasted],
  'boto3': ['python3', async (text, dir) => run('python3', [await saved(text, dir, 'list.py')], from(dir))],
  'rclone': ['rclone', pasted],
  's3cmd': ['s3cmd', pasted],
  // With the SDK that this repository has, in place of "go mod tidy".
  'Go': ['go', async (text, dir) => run('go', ['run', await saved(text, dir, 'main.go')], { ...from(dir), cwd: repository, env: cleanEnv() })],
  'JavaScript': ['node', async (text, dir) => {
    await symlink(modules, join(dir, 'node_modules'));
    return run('node', [await saved(text, dir, 'list.mjs')], from(dir));
  }],
};

function pasted(text, dir) {
  return run('sh', ['-e'], { ...from(dir), stdin: text });
}

async function saved(text, dir, name) {
  await writeFile(join(dir, name), text);
  return join(dir, name);
}

/** A home of its own, without anything that a client could already know. */
function from(dir) {
  const env = cleanEnv({ HOME: dir });
  delete env.AWS_CONFIG_FILE;
  delete env.AWS_SHARED_CREDENTIALS_FILE;
  return { env, cwd: dir };
}

/** Where everything must run, a client that is absent is a failure; elsewhere it is said. */
function missing(t, program) {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return false;
  } catch {
    assert.ok(!process.env.CI, `${program} is not installed`);
    t.skip(`SKIPPED, NOT TESTED: ${program} is not installed`);
    return true;
  }
}

const undo = undoing(after);
let browser;
let server;
let texts; // by tab, as they came out of the clipboard
let expected;
let later; // what the key's drawer says, long after its secret was shown
let minted;
before(async () => {
  browser = await startBrowser(undo);
  server = await startServer(undo);
  const { page, seen } = await openSignedIn({ after: undo }, browser, server, { permissions: ['clipboard-read', 'clipboard-write'] });
  await visit(page, server, '/admin/s3-proxy');
  const { dialog, id, secret, close } = await mint(page, { description: 'for snippets', bucket: 'uploads' });
  texts = new Map();
  for (const tab of await dialog.getByRole('tab').all()) {
    await tab.click();
    texts.set((await tab.innerText()).trim(), await copied(page, dialog, 'snippet'));
    // It says "Copied" for two seconds; the next tab has a button of its own.
  }
  await close();
  await visit(page, server, `/admin/s3-proxy/credentials/${id}`);
  later = await page.getByRole('region', { name: 'Use it' }).innerText();
  minted = { id, secret };
  assertQuiet(seen);
  expected = (await listing(server, { id, secret }, 'uploads')).keys;
  assert.ok(expected.length > 0, 'there is something to list');
});

describe('snippets', () => {
  test('there is one for each client', () => {
    assert.deepEqual([...texts.keys()], Object.keys(clients));
  });
  test('the drawer of the key has them too, without the secret', () => {
    assert.ok(later.includes(minted.id) && later.includes(server.s3_endpoint), later);
    assert.ok(later.includes('AWS_SECRET_ACCESS_KEY=SECRET_ACCESS_KEY') && !later.includes(minted.secret), later);
  });
  for (const [label, [program, execute]] of Object.entries(clients)) {
    test(`${label} lists the bucket`, async (t) => {
      if (missing(t, program)) {
        return;
      }
      const dir = join(await scratch((undoing) => t.after(undoing)), 'home');
      await mkdir(dir);
      const { code, stdout, all } = await execute(texts.get(label), dir);
      assert.equal(code, 0, all);
      for (const key of expected) {
        // Some clients show folders as such.
        assert.ok(stdout.includes(key) || stdout.includes(`${key.split('/')[0]}/`), `no ${key} in:\n${all}`);
      }
    });
  }
});

test('an owner who is no admin sees the snippets of the own key, filled with the name that it sees', async (t) => {
  const password = await newAccount(server, 'maria', 'user');
  const grants = [{ backend: server.backend_id, bucket: 'uploads', permissions: ['read', 'list'], prefix: 'documents/', alias: 'papers' }];
  const own = await newCredential(server, { owner: 'maria', grants });
  const foreign = await newCredential(server, { description: 'not of maria' });
  const { page, seen } = await openSignedIn(t, browser, server, { name: 'maria', password });
  await visit(page, server, `/admin/s3-proxy/credentials/${own.access_key_id}`);
  const region = page.getByRole('region', { name: 'Use it' });
  for (const tab of await region.getByRole('tab').all()) {
    await tab.click();
    const text = await region.getByRole('tabpanel').innerText();
    for (const part of [own.access_key_id, new URL(server.s3_endpoint).host, 'SECRET_ACCESS_KEY', 'papers']) {
      assert.ok(text.includes(part), `${await tab.innerText()}: no ${part} in\n${text}`);
    }
    assert.ok(!text.includes(own.secret_access_key) && !text.includes('uploads'), text);
  }
  await visit(page, server, `/admin/s3-proxy/credentials/${foreign.access_key_id}`);
  await page.getByRole('alert').getByText('This credential could not be read').waitFor();
  assert.equal(await region.count(), 0);
  assertQuiet(seen);
});
