// RGW users in the page: made, used with aws-cli, renewed, locked, deleted with all they hold.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertQuiet, openSignedIn, startBrowser, until } from './lib/browser.mjs';
import { assertText, copied, field, place, secretDialog, visit } from './lib/pages.mjs';
import { awsCli, listing, putAll } from './lib/s3.mjs';
import { newAccount, pauseBackend, request, startServer, undoing } from './lib/server.mjs';

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

const newUser = (name) => server.api('POST', '/rgw/users', { user: { name, project_id: project.id } });
const keyOf = (user) => ({ id: user.access_key_id, secret: user.secret_key });
const newBucket = (user, name) => server.api('POST', `/rgw/users/${user.id}/buckets`, { name });

/** Presses a button of the drawer, and the one of its dialog. */
async function act(page, button, confirm = button) {
  await page.getByRole('button', { name: button, exact: true }).click();
  await page.getByRole('dialog').last().getByRole('button', { name: confirm, exact: true }).click();
}

test('a user is made, used with aws-cli, renewed, locked, unlocked and deleted with its objects', async (t) => {
  const { page, seen } = await open(t, '/rgw/users', { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.getByText('There is no RGW user.').waitFor();
  await page.getByRole('button', { name: 'Create RGW user' }).first().click();
  const form = page.getByRole('dialog', { name: 'Create RGW user' });
  await field(form, 'Name').fill('my-app');
  await form.getByRole('button', { name: 'Create RGW user' }).click();
  const made = await secretDialog(page);
  assert.equal(await copied(page, made.dialog, 'secret access key'), made.secret);
  await made.close();
  assert.ok(!(await page.content()).includes(made.secret), 'it is not in the page any more');
  await page.getByRole('table', { name: 'RGW users' }).getByRole('link', { name: 'my-app' }).click();
  await page.waitForURL(/\/rgw\/users\/[0-9a-f-]{36}$/);
  const address = place(page);

  for (const args of [['mb', 's3://my-app-data'], ['cp', '/etc/hostname', 's3://my-app-data/folder/hostname']]) {
    const done = await awsCli(server, made, 's3', ...args);
    assert.equal(done.code, 0, done.all);
  }
  const answer = async (key) => (await listing(server, key, 'my-app-data')).status;

  await page.getByRole('button', { name: 'Renew key' }).click();
  const question = page.getByRole('dialog', { name: 'Renew the key of my-app?' });
  await question.getByText('every program that uses it is refused').waitFor();
  await question.getByRole('button', { name: 'Renew key' }).click();
  const renewed = await secretDialog(page);
  assert.equal(renewed.id, made.id, 'the id stays');
  assert.notEqual(renewed.secret, made.secret);
  await renewed.close();
  assert.equal(await answer(made), 403, 'the old secret is dead');
  assert.equal(await answer(renewed), 200);

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
  assert.equal(await answer(renewed), 200, 'a lock stops no key');
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
  assert.equal(await answer(renewed), 401);
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
  await putAll(server, keyOf(user), 'browsed-data', ['folder/hostname']);
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

test('a member sees who did what to a user and what its key did, and an outsider nothing of it', async (t) => {
  const user = await newUser('watched');
  await newBucket(user, 'watched-data');
  await server.api('PATCH', `/rgw/users/${user.id}`, { locked: true, lock_reason: 'audit under way' });
  assert.equal((await awsCli(server, keyOf(user), 's3', 'cp', '/etc/hostname', 's3://watched-data/hostname')).code, 0);
  const people = {};
  for (const name of ['watcher', 'stranger']) {
    people[name] = { name, password: await newAccount(server, name, 'user') };
  }
  await server.api('POST', `/api/projects/${project.id}/members`, { account: 'watcher', role: 'member' });

  const { page, seen } = await open(t, `/rgw/users/${user.id}`, people.watcher);
  await page.getByRole('tab', { name: 'Audit' }).click();
  const events = page.getByRole('table', { name: 'Audit events' });
  await assertText(events, /rgw\.user\.lock ?ok ?admin .*rgw\.bucket\.create ?ok ?admin .*rgw\.user\.create ?ok ?admin/);
  assert.equal(await events.getByRole('link').count(), 0, 'the pages of events are for admins');
  await page.getByText('Done with its key').click();
  await assertText(events, /s3\.proxy\.putobject ?ok ?.*watched-data\/hostname/);
  assertQuiet(seen);

  const other = await open(t, `/rgw/users/${user.id}?tab=audit`, people.stranger);
  await other.page.getByText('The RGW user could not be read').waitFor();
  assert.ok(!(await other.page.content()).includes('rgw.user.lock'));
});

test('a user is renamed; a name that its project has already is refused at the field', async (t) => {
  await newUser('taken');
  const user = await newUser('before');
  const { page, seen } = await open(t, `/rgw/users/${user.id}`);
  await page.getByRole('button', { name: 'Rename', exact: true }).click();
  const form = page.getByRole('dialog', { name: 'Rename RGW user' });
  assert.equal(await form.getByRole('button', { name: 'Rename user' }).isDisabled(), true, 'it is that name already');
  await field(form, 'Name').fill('taken');
  await form.getByRole('button', { name: 'Rename user' }).click();
  await form.getByRole('alert').getByText('The user was not renamed').waitFor();
  await field(form, 'Name').fill('after');
  await form.getByRole('button', { name: 'Rename user' }).click();
  await page.getByText('RGW user before is now after.').waitFor();
  await page.getByRole('dialog', { name: 'RGW user after' }).waitFor();
  assert.equal((await server.api('GET', `/rgw/users/${user.id}`)).name, 'after');
  assertQuiet(seen);
});

test('a disabled user is refused at once, is not renewed, and works again with its secret when it is enabled', async (t) => {
  const user = await newUser('paused');
  await newBucket(user, 'paused-data');
  const answer = async () => (await listing(server, keyOf(user), 'paused-data')).status;
  const { page, seen } = await open(t, `/rgw/users/${user.id}`);
  assert.equal(await answer(), 200);
  await act(page, 'Disable user');
  await page.getByText('RGW user paused disabled.').waitFor();
  assert.equal(await answer(), 401);
  await assertText(page.getByRole('dialog', { name: 'RGW user paused' }), /Status disabled/i);
  assert.equal(await page.getByRole('button', { name: 'Renew key' }).count(), 0);
  await act(page, 'Enable user');
  await page.getByText('RGW user paused enabled.').waitFor();
  assert.equal(await answer(), 200);
  const recorded = async (query) => (await server.api('GET', `/api/audit?${query}`)).items.length;
  await until('all is in the audit trail', async () => await recorded('action=rgw.user.enable') > 0 && await recorded(`access_key_id=${user.access_key_id}`) > 0);
  await page.getByRole('tab', { name: 'Audit' }).click();
  const events = page.getByRole('table', { name: 'Audit events' });
  await assertText(events, /rgw\.user\.enable ok admin .*rgw\.user\.disable ok admin .*rgw\.user\.create ok admin/);
  await page.getByText('Done with its key').click();
  await assertText(events, /s3\.proxy\.listobjectsv2 denied InvalidAccessKeyId/);
  assertQuiet(seen);
});

test('a bucket is opened to everybody and shut again, which is said as it is where the gateway is the home', async (t) => {
  const user = await newUser('opener');
  await newBucket(user, 'opener-data');
  await putAll(server, keyOf(user), 'opener-data', ['report.txt']);
  const unsigned = async () => (await fetch(`${server.s3_endpoint}/opener-data/report.txt`)).status;
  const { page, seen } = await open(t, `/rgw/users/${user.id}?tab=buckets`);
  assert.equal(await unsigned(), 403);
  for (const [choice, acl, want] of [['Everybody reads and lists', 'public-read', 200], ['Its owner alone', 'private', 403]]) {
    await page.getByRole('button', { name: 'Access to bucket opener-data' }).click();
    const access = page.getByRole('dialog', { name: 'Access to opener-data' });
    assert.equal(await access.getByRole('radio').count(), 2);
    assert.equal(await access.getByRole('button', { name: 'Set ACL' }).isDisabled(), true, 'it is so already');
    await access.getByRole('radio', { name: choice }).check();
    await access.getByRole('button', { name: 'Set ACL' }).click();
    await page.getByText(`Bucket opener-data is ${acl}.`).waitFor();
    assert.equal(await unsigned(), want);
  }
  assertQuiet(seen);
});

test('folders are walked, filled and left, page by page, whatever their names are', async (t) => {
  const user = await newUser('walker');
  await newBucket(user, 'walker-data');
  const many = Array.from({ length: 101 }, (_, i) => `many/${String(i).padStart(3, '0')}`);
  await putAll(server, keyOf(user), 'walker-data', ['a b/\u00fc&<i>/x', ...many]);
  const { page, seen } = await open(t, `/rgw/users/${user.id}?tab=buckets&bucket=walker-data`);
  const objects = page.getByRole('table', { name: 'Objects' });
  await objects.getByRole('link', { name: 'a b/' }).click();
  await objects.getByRole('link', { name: '\u00fc&<i>/' }).click();
  await assertText(objects, /\bx\b/);
  await page.reload();
  await assertText(objects, /\bx\b/);
  await page.locator('input[type=file]').setInputFiles({ name: 'new.txt', mimeType: 'text/plain', buffer: Buffer.from('new') });
  await assertText(objects, /new\.txt/);
  assert.deepEqual((await listing(server, keyOf(user), 'walker-data')).keys.slice(0, 2), ['a b/\u00fc&<i>/new.txt', 'a b/\u00fc&<i>/x']);
  await page.getByRole('navigation', { name: 'Folder' }).getByRole('link', { name: 'walker-data' }).click();
  await objects.getByRole('link', { name: 'many/' }).click();
  await assertText(objects, /099/);
  assert.equal(await objects.getByText('100', { exact: true }).count(), 0);
  await page.getByRole('button', { name: /more/i }).click();
  await objects.getByText('100', { exact: true }).waitFor();
  assertQuiet(seen);
});

test('a deletion is left, found again with how far it is, and cancelled: the user stays, disabled', async (t) => {
  const user = await newUser('spared');
  await newBucket(user, 'spared-data');
  await putAll(server, keyOf(user), 'spared-data', ['one', 'two']);
  const { page, seen } = await open(t, `/rgw/users/${user.id}`);
  const proceed = await pauseBackend(t, server); // so that it is under way for as long as it is looked at
  await page.getByRole('button', { name: 'Delete user' }).click();
  const question = page.getByRole('dialog', { name: 'Delete RGW user spared?' });
  await question.getByRole('checkbox').check();
  await question.getByLabel(/^Type/).fill('spared');
  await question.getByRole('button', { name: 'Delete user' }).click();
  await page.getByText('Deletion of spared has begun.').waitFor();
  await visit(page, server, '/projects');
  await page.goto(new URL(`/rgw/users/${user.id}`, server.url).href);
  const progress = page.getByRole('alert').filter({ hasText: 'It is being deleted' });
  await assertText(progress, /0 of 1 bucket deleted, with 0 objects so far.* it goes on when this page is left/);
  await act(page, 'Cancel deletion');
  await page.getByText('Deletion of spared cancelled.').waitFor();
  proceed();
  const drawer = page.getByRole('dialog', { name: 'RGW user spared' });
  await drawer.getByRole('button', { name: 'Enable user' }).waitFor({ timeout: 60_000 });
  await assertText(drawer, /Status disabled/i);
  assert.equal((await listing(server, keyOf(user), 'spared-data')).status, 401);
  await act(page, 'Enable user');
  await page.getByText('RGW user spared enabled.').waitFor();
  assert.equal((await listing(server, keyOf(user), 'spared-data')).status, 200, 'its bucket is left, and its key is the one that it had');
  assertQuiet(seen);
});
