// What an administrator does to accounts in the page, and what it means for them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertQuiet, openContext, openSignedIn, startBrowser } from './lib/browser.mjs';
import { assertText, field, place, signIn, visit } from './lib/pages.mjs';
import { listing } from './lib/s3.mjs';
import { newAccount, newCredential, request, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
});

const open = async (t, path) => {
  const opened = await openSignedIn(t, browser, server);
  await visit(opened.page, server, path);
  return opened;
};

/** How the API answers a sign-in. */
const signInStatus = async (username, password) => (await request(server.url, { Origin: server.url }, 'POST', '/api/session', { username, password })).status;

/** Asks for something in the drawer of an account, and answers the question. */
async function act(page, button, confirm = button) {
  await page.getByRole('button', { name: button, exact: true }).click();
  const question = page.getByRole('dialog').last();
  await question.getByRole('button', { name: confirm, exact: true }).click();
  return question;
}

/** The password of a dialog that shows it once. */
async function shownOnce(page) {
  const dialog = page.getByRole('dialog', { name: 'Save this password now' });
  const password = (await dialog.locator('pre, code').first().innerText()).trim();
  await dialog.getByRole('button', { name: 'I have saved it' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.ok(!(await page.content()).includes(password), 'it is not in the page any more');
  return password;
}

test('an account is created with a password that is shown once, and can sign in with it', async (t) => {
  const { page, seen } = await open(t, '/admin/accounts');
  await page.getByRole('button', { name: 'Create account' }).click();
  const form = page.getByRole('dialog', { name: 'Create account' });
  await field(form, 'Name').fill('maria');
  await form.getByRole('radio', { name: 'Readonly' }).check();
  await form.getByRole('button', { name: 'Create account' }).click();
  const password = await shownOnce(page);
  await assertText(page.getByRole('table', { name: 'Accounts' }), /maria ?readonly ?active/);
  const other = await (await openContext(t, browser)).newPage();
  await signIn(other, server, { name: 'maria', password });
  await other.getByText('You own no credential yet').waitFor();
  assertQuiet(seen);
});

test('a role holds at once', async (t) => {
  const password = await newAccount(server, 'riser', 'user');
  const own = await openSignedIn(t, browser, server, { name: 'riser', password });
  assert.equal((await own.context.request.get(`${server.url}/api/accounts`)).status(), 403);
  const { page } = await open(t, '/admin/accounts/riser');
  await page.getByRole('button', { name: 'Change role' }).click();
  await page.getByRole('radio', { name: 'Admin' }).check();
  await page.getByRole('dialog').last().getByRole('button', { name: 'Change role' }).click();
  await page.getByText('Account riser is now admin.').waitFor();
  assert.equal((await own.context.request.get(`${server.url}/api/accounts`)).status(), 200);
});

test('a disabled account is out, with its keys, until it is enabled', async (t) => {
  const password = await newAccount(server, 'leaver', 'user');
  const made = await newCredential(server, { owner: 'leaver', description: 'of the leaver' });
  const key = { id: made.access_key_id, secret: made.secret_access_key };
  const own = await openSignedIn(t, browser, server, { name: 'leaver', password });
  const { page } = await open(t, '/admin/accounts/leaver');
  await assertText(page.getByRole('dialog'), /Owns 1 live credential/);
  await act(page, 'Disable account');
  await page.getByText('Account leaver disabled.').waitFor();
  assert.equal((await own.context.request.get(`${server.url}/api/session`)).status(), 401);
  assert.equal(await signInStatus('leaver', password), 401);
  assert.equal((await listing(server, key, 'uploads')).status, 401);
  await act(page, 'Enable account');
  await page.getByText('Account leaver enabled.').waitFor();
  assert.equal(await signInStatus('leaver', password), 200);
  assert.equal((await listing(server, key, 'uploads')).status, 401, 'its keys stay disabled');
});

test('a password is reset: the old one and its sessions end', async (t) => {
  const password = await newAccount(server, 'forgetful', 'user');
  const own = await openSignedIn(t, browser, server, { name: 'forgetful', password });
  const { page } = await open(t, '/admin/accounts/forgetful');
  await act(page, 'Reset password');
  const next = await shownOnce(page);
  assert.equal((await own.context.request.get(`${server.url}/api/session`)).status(), 401);
  assert.deepEqual([await signInStatus('forgetful', password), await signInStatus('forgetful', next)], [401, 200]);
});

test('sessions are listed and ended, API tokens revoked', async (t) => {
  const password = await newAccount(server, 'held', 'user');
  const own = await openSignedIn(t, browser, server, { name: 'held', password });
  const { csrf_token: csrf } = await (await own.context.request.get(`${server.url}/api/session`)).json();
  const made = await own.context.request.post(`${server.url}/api/tokens`, { headers: { Origin: server.url, 'X-CSRF-Token': csrf }, data: { name: 'ci' } });
  const { token } = await made.json();
  const byToken = () => request(server.url, { Authorization: `Bearer ${token}` }, 'GET', '/api/credentials');
  assert.equal((await byToken()).status, 200);
  const { page } = await open(t, '/admin/accounts/held?tab=sessions');
  await page.getByRole('table', { name: 'Sessions' }).getByText('Chrome').waitFor();
  await act(page, 'End all sessions');
  await page.getByText('All sessions of held ended.').waitFor();
  assert.equal((await own.context.request.get(`${server.url}/api/session`)).status(), 401);
  await page.getByRole('tab', { name: 'API tokens' }).click();
  await act(page, 'Revoke token ci', 'Revoke token');
  await page.getByText('Token ci of held revoked.').waitFor();
  assert.equal((await byToken()).status, 401);
});

test('a deleted account is gone, with its keys; the last admin stays', async (t) => {
  const password = await newAccount(server, 'goner', 'user');
  const made = await newCredential(server, { owner: 'goner', description: 'of the goner' });
  const { page } = await open(t, '/admin/accounts/goner');
  await act(page, 'Delete account');
  await page.getByText('Account goner deleted.').waitFor();
  assert.equal(place(page), '/admin/accounts');
  assert.equal(await signInStatus('goner', password), 401);
  assert.equal((await listing(server, { id: made.access_key_id, secret: made.secret_access_key }, 'uploads')).status, 401);
  await server.api('PATCH', '/api/accounts/riser', { role: 'user' }).catch(() => undefined); // made an admin above
  await visit(page, server, '/admin/accounts/admin');
  const question = await act(page, 'Delete account');
  await question.getByText('admin is the last active admin').waitFor();
  assert.equal(await signInStatus('admin', server.password), 200);
});
