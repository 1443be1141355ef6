// What a newcomer does in the first five minutes, in the pages and with aws-cli.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { assertQuiet, openContext, startBrowser, until } from './lib/browser.mjs';
import { assertText, copied, mint, place, settled, signIn } from './lib/pages.mjs';
import { awsCli, listing } from './lib/s3.mjs';
import { scratch, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
});

test('the tutorial', async (t) => {
  const { seen, newPage } = await openContext(t, browser, { permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await newPage();
  const table = page.getByRole('table', { name: 'Credentials' });
  const key = {};
  // A step that fails leaves nothing to the next ones: they do not run.
  let broken = false;
  const step = (name, act) => broken || t.test(name, async (sub) => {
    broken = true;
    await act(sub);
    broken = false;
  });

  await step('sign in with the printed password', async () => {
    await signIn(page, server, { path: '/' });
    assert.match(place(page), /^\/admin/);
  });
  await step('open /admin/s3-proxy, which is empty', async () => {
    await page.goto(new URL('/admin/s3-proxy', server.url).href);
    await page.getByText('No key has been handed out yet').waitFor();
    assert.deepEqual((await server.api('GET', '/api/credentials')).items, []);
  });
  await step('mint a key for one bucket and copy it', async () => {
    const shown = await mint(page, { description: 'my first key', bucket: 'uploads', also: ['Write'] });
    key.id = await copied(page, shown.dialog, 'access key id');
    key.secret = await copied(page, shown.dialog, 'secret access key');
    assert.deepEqual([key.id, key.secret], [shown.id, shown.secret]);
    assert.match(key.id, /^AKIA[A-Z0-9]{16}$/);
    assert.equal((await listing(server, key, 'uploads')).status, 200);
    await shown.close();
    await page.getByText(`Key ${key.id} created.`).waitFor();
    const row = table.getByRole('row').filter({ hasText: 'my first key' });
    await assertText(row, /active local\/uploads read, list and write none never never/);
  });
  await step('list the bucket', async () => {
    const all = await awsCli(server, key, 's3', 'ls');
    assert.equal(all.code, 0, all.all);
    assert.match(all.stdout, /uploads/);
    assert.doesNotMatch(all.stdout, /reports/);
    const one = await awsCli(server, key, 's3', 'ls', 's3://uploads/');
    assert.equal(one.code, 0, one.all);
    // The last use is stored every few seconds, not with each request.
    await until('the page tells the last use', async () => {
      await page.reload();
      await settled(page);
      return /seconds? ago|now|minute/.test(await table.getByRole('row').filter({ hasText: 'my first key' }).innerText());
    }, 30_000);
  });
  await step('copy a file up and down', async (sub) => {
    const dir = await scratch((undoing) => sub.after(undoing));
    const content = 'hello from the dashboard\n';
    await writeFile(join(dir, 'up.txt'), content);
    const up = await awsCli(server, key, 's3', 'cp', '--only-show-errors', join(dir, 'up.txt'), 's3://uploads/tutorial/hello.txt');
    assert.equal(up.code, 0, up.all);
    const down = await awsCli(server, key, 's3', 'cp', '--only-show-errors', 's3://uploads/tutorial/hello.txt', join(dir, 'down.txt'));
    assert.equal(down.code, 0, down.all);
    assert.equal(await readFile(join(dir, 'down.txt'), 'utf8'), content);
  });
  await step('be refused another bucket', async () => {
    const refused = await awsCli(server, key, 's3', 'ls', 's3://reports/');
    assert.notEqual(refused.code, 0);
    assert.match(refused.all, /AccessDenied/);
    const { status, code } = await listing(server, key, 'reports');
    assert.deepEqual({ status, code }, { status: 403, code: 'AccessDenied' });
  });
  await step('find it all in the audit trail', async () => {
    const events = page.getByRole('table', { name: 'Audit events' });
    await page.getByRole('link', { name: 'Audit' }).click();
    await events.waitFor(); // the page before has filters too
    await page.getByRole('button', { name: /filter/i }).first().click();
    await page.getByRole('menuitem', { name: 'Action begins with' }).click();
    await page.getByRole('dialog').locator('input').last().fill('s3.proxy.');
    await page.keyboard.press('Enter');
    await page.waitForURL(/action=s3\.proxy\./);
    await events.getByText('s3.proxy.putobject').waitFor();
    const actions = await events.locator('tbody tr td:nth-child(2)').allInnerTexts();
    assert.ok(actions.length >= 3 && actions.every((action) => action.trim().startsWith('s3.proxy.')), actions.join());
    const put = events.getByRole('row').filter({ hasText: 's3.proxy.putobject' });
    await assertText(put, /ok .*uploads\/tutorial\/hello\.txt/);
    const refused = events.getByRole('row').filter({ hasText: 'reports' }).first();
    await assertText(refused, /denied AccessDenied/);
    await put.getByRole('link').first().click();
    const drawer = page.getByRole('dialog');
    await assertText(drawer, new RegExp(`Access key ${key.id}`));
    assert.match(place(page), /^\/admin\/audit\/[^?]+\?action=s3\.proxy\.$/);
    await drawer.getByRole('link', { name: 'Open credential' }).click();
    assert.equal(place(page), `/admin/s3-proxy/credentials/${key.id}`);
  });
  await step('revoke it in the page; the next call is refused', async () => {
    const drawer = page.getByRole('dialog').first();
    await drawer.getByRole('button', { name: 'Revoke key' }).click();
    const question = page.getByRole('dialog', { name: `Revoke key ${key.id}?` });
    await assertText(question, /my first key .*refused at once.* It was last used/);
    assert.equal((await listing(server, key, 'uploads')).status, 200, 'asking revokes nothing');
    await question.getByRole('button', { name: 'Revoke key' }).click();
    await page.getByText(`Key ${key.id} revoked.`).waitFor();
    const { status, code } = await listing(server, key, 'uploads');
    assert.deepEqual({ status, code }, { status: 401, code: 'InvalidAccessKeyId' });
    const call = await awsCli(server, key, 's3', 'ls', 's3://uploads/');
    assert.notEqual(call.code, 0);
    assert.match(call.all, /InvalidAccessKeyId/);
    await assertText(page.getByRole('dialog').first(), /Status revoked/);
    await page.getByRole('link', { name: 'Show in audit' }).click();
    await page.getByRole('table', { name: 'Audit events' }).getByText('credential.revoke').waitFor();
  });
  assertQuiet(seen);
});
