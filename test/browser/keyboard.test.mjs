// Minting and revoking without a mouse.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertQuiet, openContext, openSignedIn, startBrowser, until } from './lib/browser.mjs';
import { ask, assertTrapped, focused, tabTo } from './lib/keyboard.mjs';
import { assertText, place, secretDialog, settled, visit } from './lib/pages.mjs';
import { listing } from './lib/s3.mjs';
import { newCredential, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
});

describe('without a mouse', () => {
  test('sign in', async (t) => {
    const { seen, newPage } = await openContext(t, browser);
    const page = await newPage();
    await page.goto(server.url);
    await settled(page);
    await tabTo(page, 'User name');
    await page.keyboard.type(server.username);
    await tabTo(page, 'Password');
    await page.keyboard.type(server.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    assertQuiet(seen);
  });

  test('mint', async (t) => {
    const { page, seen } = await openSignedIn(t, browser, server);
    await visit(page, server, '/admin/s3-proxy');
    await tabTo(page, 'Create credential');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Create credential' }).waitFor();
    await tabTo(page, 'Description');
    await page.keyboard.type('by keyboard');
    await tabTo(page, 'Bucket');
    await page.keyboard.type('uploads');
    await page.getByRole('option', { name: 'uploads' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await tabTo(page, 'Write');
    await page.keyboard.press('Space');
    await assertText(page.getByRole('dialog'), /May read, list and write all of (local\/)?uploads/);
    await assertTrapped(page);
    await tabTo(page, 'Create credential');
    await page.keyboard.press('Enter');
    const { id, secret, dialog } = await secretDialog(page);
    await assertTrapped(page);
    await tabTo(page, 'I have saved it');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    assert.equal((await listing(server, { id, secret }, 'uploads')).status, 200);
    await page.waitForTimeout(300);
    const { name } = await focused(page);
    assert.equal(name, 'Create credential', 'the focus returns to where it was');
    assertQuiet(seen);
  });

  test('revoke', async (t) => {
    const made = await newCredential(server, { description: 'to be revoked' });
    const key = { id: made.access_key_id, secret: made.secret_access_key };
    const { page, seen } = await openSignedIn(t, browser, server);
    await visit(page, server, '/admin/s3-proxy');
    await page.keyboard.press('/');
    assert.match((await focused(page)).name, /^Go to/);
    await page.keyboard.type(key.id);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('to be revoked').waitFor();
    assert.equal(place(page), `/admin/s3-proxy/credentials/${key.id}`);
    await tabTo(page, 'Revoke key');
    await page.keyboard.press('Enter');
    const question = page.getByRole('dialog', { name: `Revoke key ${key.id}?` });
    await question.waitFor();
    await page.waitForTimeout(300);
    assert.equal((await focused(page)).name, 'Cancel', 'the harmless one has the focus first');
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    await page.waitForTimeout(300);
    assert.equal((await focused(page)).name, 'Revoke key', 'the focus returns to where it was');
    assert.equal((await listing(server, key, 'uploads')).status, 200);
    await page.keyboard.press('Enter');
    await question.waitFor();
    await assertTrapped(page);
    await tabTo(page, 'Revoke key');
    await page.keyboard.press('Enter');
    await page.getByText(`Key ${key.id} revoked.`).waitFor();
    const { status, code } = await listing(server, key, 'uploads');
    assert.deepEqual({ status, code }, { status: 401, code: 'InvalidAccessKeyId' });
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(place(page), '/admin/s3-proxy');
    assertQuiet(seen);
  });

  test('an RGW user is locked, unlocked, renewed and deleted with its objects', async (t) => {
    const project = await server.api('POST', '/api/projects', { name: 'By keyboard' });
    const user = await server.api('POST', '/rgw/users', { user: { name: 'by-keys', project_id: project.id } });
    await server.api('POST', `/rgw/users/${user.id}/buckets`, { name: 'by-keys-data' });
    const { page, seen } = await openSignedIn(t, browser, server);
    await visit(page, server, `/rgw/users/${user.id}`);
    await ask(page, 'Lock user', /^Lock/);
    await tabTo(page, 'Reason');
    await page.keyboard.type('audit under way');
    await page.keyboard.press('Enter');
    await page.getByText('Because: audit under way').waitFor();
    await ask(page, 'Unlock user', /^Unlock/);
    await tabTo(page, 'Unlock user');
    await page.keyboard.press('Enter');
    await page.getByText('RGW user by-keys unlocked.').waitFor();

    await ask(page, 'Renew key', /^Renew the key/);
    await tabTo(page, 'Renew key');
    await page.keyboard.press('Enter');
    const { id, dialog } = await secretDialog(page);
    assert.equal(id, user.access_key_id);
    await assertTrapped(page);
    await tabTo(page, 'I have saved it');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });

    await ask(page, 'Delete user', /^Delete RGW user/);
    await tabTo(page, /objects/);
    await page.keyboard.press('Space');
    await tabTo(page, /^Type/);
    await page.keyboard.type('by-keys');
    await tabTo(page, 'Delete user');
    await page.keyboard.press('Enter');
    await page.getByText('RGW user by-keys deleted with its objects.').waitFor({ timeout: 60_000 });
    assert.equal(place(page), '/rgw/users');
    assertQuiet(seen);
  });

  test('the shortcuts are listed at ?', async (t) => {
    const { page } = await openSignedIn(t, browser, server);
    await visit(page, server, '/admin/s3-proxy');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  const places = {
    'a bucket': ['uploads', /backends\/local\?tab=buckets&q=uploads$/],
    'an account': ['admin', /accounts\/admin$/],
    'a request': ['0198c5a0-0000-7000-8000-000000000001', /audit\?request_id=0198c5a0-0000-7000-8000-000000000001$/],
    'anything else': ['nightly', /s3-proxy\?q=nightly$/],
  };
  for (const [what, [typed, leads]] of Object.entries(places)) {
    test(`the search goes to ${what}`, async (t) => {
      const { page, seen } = await openSignedIn(t, browser, server);
      await visit(page, server, '/admin/profile');
      await page.keyboard.press('Control+k');
      await page.keyboard.type(typed);
      await settled(page); // what there is has been read
      await page.keyboard.press('Enter');
      await page.waitForURL(leads);
      await settled(page);
      assertQuiet(seen);
    });
  }

  test('a drawer gives the focus back to the row that opened it', async (t) => {
    const { page } = await openSignedIn(t, browser, server);
    await visit(page, server, '/admin/accounts');
    await tabTo(page, 'admin');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Account admin' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.waitForTimeout(100);
    assert.equal((await focused(page)).name, 'admin');
  });
});
