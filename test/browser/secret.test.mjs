// A secret is shown once: after its dialog nothing in the browser, on the wire
// or in the log has it.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { assertQuiet, startWithProfile } from './lib/browser.mjs';
import { mint, place, secretDialog, settled, signIn, visit } from './lib/pages.mjs';
import { listing } from './lib/s3.mjs';
import { scratch, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let server;
before(async () => { server = await startServer(undo); });

/** All that a page and its origin keep, as one text. */
const kept = (page) => page.evaluate(async () => {
  const databases = await Promise.all((await indexedDB.databases()).map(({ name }) => new Promise((resolve) => {
    const opening = indexedDB.open(name);
    opening.onsuccess = () => {
      const names = [...opening.result.objectStoreNames];
      const read = names.map((store) => new Promise((done) => {
        const all = opening.result.transaction(store).objectStore(store).getAll();
        all.onsuccess = () => done(all.result);
      }));
      void Promise.all(read).then(resolve);
    };
  })));
  const caches = await Promise.all((await globalThis.caches.keys()).map(async (name) => (await (await globalThis.caches.open(name)).keys()).map(({ url }) => url)));
  const fields = [...document.querySelectorAll('input, textarea')].map(({ value }) => value);
  return [
    document.documentElement.outerHTML, fields, location.href, JSON.stringify(history.state), document.cookie, JSON.stringify({ ...localStorage }),
    JSON.stringify({ ...sessionStorage }), JSON.stringify(databases), JSON.stringify(caches), performance.getEntries().map(({ name }) => name), globalThis.name,
  ].join('\n');
});

async function assertGone(page, secret, when) {
  await settled(page);
  const text = await kept(page);
  assert.ok(text.includes('Keystile'), 'the page is read');
  assert.ok(!text.includes(secret), `${when}: the secret is in the page or its storage`);
  const cookies = JSON.stringify(await page.context().cookies());
  assert.ok(!cookies.includes(secret), `${when}: the secret is in a cookie`);
}

/** The one response that had it, which no cache may keep. */
async function assertOnceOnTheWire(seen, secret, path) {
  const had = [];
  for (const response of seen.responses) {
    const text = [response.url, JSON.stringify(response.headers), response.sent, await response.body].join('\n');
    if (text.includes(secret)) {
      had.push(response);
    }
  }
  assert.equal(had.length, 1, had.map(({ method, url }) => `${method} ${url}`).join());
  assert.equal(`${had[0].method} ${new URL(had[0].url).pathname}`, `POST ${path}`);
  assert.match(had[0].headers['cache-control'], /no-store/);
}

/** The files of a browser's profile that have it. */
async function filesWith(dir, secret) {
  const found = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && (await readFile(join(entry.path, entry.name))).includes(secret)) {
      found.push(entry.name);
    }
  }
  return found;
}

/** A signed-in browser on a profile of its own. */
async function opened(t) {
  const done = undoing((step) => t.after(step)); // the browser ends before its profile goes
  const dir = await scratch(done);
  const browser = await startWithProfile(done, dir);
  const page = await browser.newPage();
  await signIn(page, server);
  await visit(page, server, '/admin/s3-proxy');
  return { ...browser, page, dir };
}

/** Looks everywhere, once the dialog is closed. */
async function searchEverywhere({ page, context, seen, dir }, secret, path) {
  await assertGone(page, secret, 'after the dialog');
  await page.goto(new URL('/admin/profile', server.url).href);
  await page.goBack();
  await assertGone(page, secret, 'after back');
  await page.goForward();
  await assertGone(page, secret, 'after forward');
  await page.goBack();
  await page.reload();
  await assertGone(page, secret, 'after reload');
  await assertOnceOnTheWire(seen, secret, path);
  assert.ok(server.log().includes(`path=${path} `), 'the log tells of the request');
  assert.ok(!server.log().includes(secret), 'the secret is in the log');
  assertQuiet(seen);
  await context.close();
  assert.deepEqual(await filesWith(dir, secret), [], 'files of the browser have the secret');
}

describe('the secret of a key', () => {
  test('is nowhere after it was minted', async (t) => {
    const browser = await opened(t);
    const { secret, id, close } = await mint(browser.page, { description: 'shown once', bucket: 'uploads' });
    assert.ok((await kept(browser.page)).includes(secret), 'while it is shown, the search finds it');
    await close();
    assert.equal((await listing(server, { id, secret }, 'uploads')).status, 200);
    await searchEverywhere(browser, secret, '/api/credentials');
  });

  test('is nowhere after it was rotated, and the old one is dead', async (t) => {
    const browser = await opened(t);
    const { page } = browser;
    const old = await mint(page, { description: 'to be rotated', bucket: 'uploads' });
    await old.close();
    await visit(page, server, `/admin/s3-proxy/credentials/${old.id}`);
    await page.getByRole('button', { name: 'Rotate key' }).click();
    await page.getByRole('dialog', { name: `Rotate ${old.id}?` }).getByRole('button', { name: 'Rotate key' }).click();
    const next = await secretDialog(page);
    assert.equal(next.id, old.id);
    assert.notEqual(next.secret, old.secret);
    await next.close();
    assert.equal((await listing(server, next, 'uploads')).status, 200);
    assert.equal((await listing(server, old, 'uploads')).status, 403);
    await searchEverywhere(browser, next.secret, `/api/credentials/${old.id}/rotate`);
  });

  test('stays until it is saved: neither Escape, a click beside it nor back closes it', async (t) => {
    const { page } = await opened(t);
    await visit(page, server, '/admin/profile');
    await page.getByRole('link', { name: 'Credentials' }).click();
    const { dialog } = await mint(page, { description: 'held open', bucket: 'uploads' });
    await page.keyboard.press('Escape');
    await page.mouse.click(5, 300);
    await page.goBack();
    await page.waitForTimeout(500);
    assert.equal(await dialog.isVisible(), true);
    assert.equal(place(page), '/admin/s3-proxy');
    assert.equal(await dialog.getByRole('button', { name: /close/i }).count(), 0);
  });

  test('is not brought back by a reload, which asks first', async (t) => {
    const { page, context } = await opened(t);
    const asked = [];
    context.onDialog = async (dialog) => { asked.push(dialog.type()); await dialog.accept(); };
    const { secret } = await mint(page, { description: 'reloaded away', bucket: 'uploads' });
    await page.reload();
    assert.deepEqual(asked, ['beforeunload']);
    await page.getByText('reloaded away').waitFor();
    await assertGone(page, secret, 'after reload');
  });
});

test('the value of an API token is nowhere after its dialog', async (t) => {
  const browser = await opened(t);
  const { page } = browser;
  await visit(page, server, '/admin/profile?tab=tokens');
  await page.getByRole('button', { name: 'Create API token' }).first().click();
  const form = page.getByRole('dialog', { name: 'Create API token' });
  await form.getByLabel('Name').fill('ci');
  await form.getByRole('button', { name: 'Create API token' }).click();
  const shown = page.getByRole('dialog', { name: 'Save this token now' });
  const token = (await shown.locator('pre, code').first().innerText()).trim();
  assert.match(token, /^ks_/);
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  await shown.waitFor({ state: 'detached' });
  const answer = await fetch(`${server.url}/api/session`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200);
  await searchEverywhere(browser, token, '/api/tokens');
});
