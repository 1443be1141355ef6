// RGW users in the page: made, used with aws-cli, renewed, locked, deleted with all they hold.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertQuiet, openSignedIn, startBrowser } from './lib/browser.mjs';
import { assertText, copied, field, place, visit } from './lib/pages.mjs';
import { awsCli } from './lib/s3.mjs';
import { newAccount, request, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
let project;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
  project = await server.api('POST', '/api/projects', { name: 'Data platform' });
});

const open = async (t, path, who) => {
  const opened = await openSignedIn(t, browser, server, who);
  await visit(opened.page, server, path);
  return opened;
};

/** The dialog that shows a secret once, with what it shows. */
async function shown(page, title) {
  const dialog = page.getByRole('dialog', { name: title });
  await dialog.waitFor();
  return {
    dialog, id: await dialog.getByTestId('Access key id').innerText(), secret: await dialog.getByTestId('Secret access key').innerText(),
    close: async () => {
      await dialog.getByRole('button', { name: 'I have saved it' }).click();
      await dialog.waitFor({ state: 'detached' });
    },
  };
}

const newUser = (name) => server.api('POST', '/rgw/users', { user: { name, project_id: project.id } });
const keyOf = (user) => ({ id: user.access_key_id, secret: user.secret_key });

test('a user is made, used with aws-cli, renewed, locked, unlocked and deleted with its objects', async (t) => {
  const { page, seen } = await open(t, '/rgw/users', { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.getByText('There is no RGW user.').waitFor();
  await page.getByRole('button', { name: 'Create RGW user' }).first().click();
  const form = page.getByRole('dialog', { name: 'Create RGW user' });
  await field(form, 'Name').fill('my-app');
  await form.getByRole('button', { name: 'Create RGW user' }).click();
  const made = await shown(page, 'RGW user created');
  assert.equal(await copied(page, made.dialog, 'secret access key'), made.secret);
  await made.close();
  assert.ok(!(await page.content()).includes(made.secret), 'it is not in the page any more');
  await page.getByRole('table', { name: 'RGW users' }).getByRole('link', { name: 'my-app' }).click();
  await page.waitForURL(/\/rgw\/users\/[0-9a-f-]{36}$/);
  const address = place(page);

  const s3 = async (key, ...args) => (await awsCli(server, key, 's3', ...args)).code;
  assert.equal(await s3(made, 'mb', 's3://my-app-data'), 0);
  assert.equal(await s3(made, 'cp', '/etc/hostname', 's3://my-app-data/folder/hostname'), 0);

  await page.getByRole('button', { name: 'Renew key' }).click();
  const question = page.getByRole('dialog', { name: 'Renew the key of my-app?' });
  await question.getByText('every program that uses it is refused').waitFor();
  await question.getByRole('button', { name: 'Renew key' }).click();
  const renewed = await shown(page, 'New secret');
  assert.equal(renewed.id, made.id, 'the id stays');
  assert.notEqual(renewed.secret, made.secret);
  await renewed.close();
  assert.notEqual(await s3(made, 'ls', 's3://my-app-data'), 0, 'the old secret is dead');
  assert.equal(await s3(renewed, 'ls', 's3://my-app-data'), 0);

  await page.getByRole('button', { name: 'Lock user' }).click();
  await page.getByLabel('Reason').fill('audit under way');
  await page.getByRole('dialog').last().getByRole('button', { name: 'Lock user' }).click();
  await page.getByText('RGW user my-app locked.').waitFor();
  await page.getByText('Because: audit under way').waitFor();
  await page.getByRole('button', { name: 'Renew key' }).click();
  await page.getByRole('dialog').last().getByRole('button', { name: 'Renew key' }).click();
  const refused = page.getByRole('dialog', { name: 'The key was not renewed' });
  await refused.getByRole('alert').getByText('my-app is locked').waitFor();
  await refused.getByRole('button', { name: 'Close', exact: true }).last().click();
  assert.equal(await s3(renewed, 'ls', 's3://my-app-data'), 0, 'a lock stops no key');
  await page.getByRole('button', { name: 'Unlock user' }).click();
  await page.getByRole('dialog').last().getByRole('button', { name: 'Unlock user' }).click();
  await page.getByText('RGW user my-app unlocked.').waitFor();

  await page.getByRole('button', { name: 'Delete user' }).click();
  const last = page.getByRole('dialog', { name: 'Delete RGW user my-app?' });
  await last.getByRole('button', { name: 'Delete user' }).click();
  await last.getByRole('alert').getByText('The user was not deleted').waitFor();
  await last.getByRole('checkbox').check();
  assert.equal(await last.getByRole('button', { name: 'Delete user' }).isDisabled(), true, 'its name is asked for');
  await last.getByLabel(/^Type/).fill('my-app');
  await last.getByRole('button', { name: 'Delete user' }).click();
  await page.getByText('RGW user my-app deleted with its objects.').waitFor({ timeout: 60_000 });
  assert.equal(place(page), '/rgw/users');
  assert.equal((await request(server.url, { Authorization: `Bearer ${server.api_token}` }, 'GET', address)).status, 404);
  assert.notEqual(await s3(renewed, 'ls', 's3://my-app-data'), 0);
  assertQuiet(seen);
});

test('buckets and objects are made, looked at, downloaded and deleted in the page', async (t) => {
  const user = await newUser('browsed');
  const { page, seen } = await open(t, `/rgw/users/${user.id}?tab=buckets`);
  await page.getByLabel('New bucket').fill('browsed-data');
  await page.getByRole('button', { name: 'Create bucket' }).click();
  await page.getByText('Bucket browsed-data created.').waitFor();
  await page.getByRole('table', { name: 'Buckets' }).getByRole('link', { name: 'browsed-data' }).click();
  await page.getByText('The bucket is empty.').waitFor();
  await page.locator('input[type=file]').setInputFiles({ name: 'page.html', mimeType: 'text/html', buffer: Buffer.from('<script>alert(1)</script>') });
  await page.getByText('page.html uploaded.').waitFor();
  const put = await awsCli(server, keyOf(user), 's3', 'cp', '/etc/hostname', 's3://browsed-data/folder/hostname');
  assert.equal(put.code, 0, put.all);
  await visit(page, server, `/rgw/users/${user.id}?tab=buckets&bucket=browsed-data`);
  const objects = page.getByRole('table', { name: 'Objects' });
  const [download] = await Promise.all([page.waitForEvent('download'), objects.getByRole('link', { name: 'Download page.html' }).click()]);
  assert.equal(download.suggestedFilename(), 'page.html');
  await objects.getByRole('link', { name: 'folder/' }).click();
  await assertText(objects, /hostname/);
  await objects.getByRole('button', { name: 'Delete folder/hostname' }).click();
  await page.getByRole('dialog').last().getByRole('button', { name: 'Delete object' }).click();
  await page.getByText('folder/hostname deleted.').waitFor();
  assertQuiet(seen);
});

test('a member sees, and changes nothing; a quota is for admins', async (t) => {
  const user = await newUser('shared');
  const password = await newAccount(server, 'mona', 'user');
  await server.api('POST', `/api/projects/${project.id}/members`, { account: 'mona', role: 'member' });
  const { page } = await open(t, `/rgw/users/${user.id}`, { name: 'mona', password });
  const drawer = page.getByRole('dialog', { name: 'RGW user shared' });
  await assertText(drawer, /Secret access key \*{8}/);
  await assertText(drawer, /of 500 GiB/);
  assert.equal(await drawer.getByRole('button', { name: /^(Renew|Rename|Set|Lock|Disable|Delete)/ }).count(), 0);
  const admin = await open(t, `/rgw/users/${user.id}`);
  await admin.page.getByRole('button', { name: 'Set quota' }).click();
  await admin.page.getByLabel('Size').fill('1');
  await admin.page.getByRole('dialog').last().getByRole('button', { name: 'Set quota' }).click();
  await admin.page.getByText('Quota of shared: 1.00 GiB.').waitFor();
  await visit(page, server, `/rgw/users/${user.id}`);
  await assertText(drawer, /of 1\.00 GiB/);
});
