// RGW users of a real Ceph in the page: their keys work and die there and at the
// gateway, and what was done there by others is seen here.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertSound, options as looks } from './lib/axe.mjs';
import { assertQuiet, openSignedIn, startBrowser, until } from './lib/browser.mjs';
import { hasCeph, startCeph } from './lib/ceph.mjs';
import { ask, assertTrapped, focused, tabTo } from './lib/keyboard.mjs';
import { assertText, copied, field, place, secretDialog, visit } from './lib/pages.mjs';
import { awsCli, listing } from './lib/s3.mjs';
import { startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
const skip = !process.env.CI && !await hasCeph() ? 'SKIPPED, NOT TESTED: Ceph is not installed (make ceph)' : false;
let browser;
let server;
let ceph;
before(async () => {
  if (skip) {
    return;
  }
  [browser, server, ceph] = await Promise.all([startBrowser(undo), startServer(undo), startCeph(undo)]);
  await server.api('POST', '/api/projects', { name: 'Data platform' });
  await server.api('POST', '/api/backends', {
    id: 'ceph-1', kind: 'ceph-rgw', endpoint: ceph.s3_endpoint, region: 'us-east-1', access_key_id: ceph.access_key_id, secret_access_key: ceph.secret_access_key,
    admin_access_key_id: ceph.access_key_id, admin_secret_access_key: ceph.secret_access_key,
  });
});

const open = async (t, path, options) => {
  const opened = await openSignedIn(t, browser, server, options);
  await visit(opened.page, server, path);
  return opened;
};

/** Presses a button of the drawer, and the one of its dialog. */
async function act(page, button, confirm = button) {
  await page.getByRole('button', { name: button, exact: true }).click();
  await page.getByRole('dialog').last().getByRole('button', { name: confirm, exact: true }).click();
}

/** How a key is answered: at the gateway, and at the Ceph. */
const answers = async (key, bucket) => (await Promise.all([server, ceph].map((at) => listing(at, key, bucket)))).map(({ status, code }) => (code ? `${status} ${code}` : status));

test('a user of a Ceph is made, used, renewed, locked, unlocked and deleted with its objects', { skip }, async (t) => {
  const { page, seen } = await open(t, '/rgw/users', { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.getByRole('button', { name: 'Create RGW user' }).first().click();
  await field(page.getByRole('dialog'), 'Name').fill('my-app');
  await page.getByRole('dialog').getByRole('button', { name: 'Create RGW user' }).click();
  const made = await secretDialog(page);
  const key = { id: await copied(page, made.dialog, 'access key id'), secret: await copied(page, made.dialog, 'secret access key') };
  assert.deepEqual(key, { id: made.id, secret: made.secret });
  await made.close();
  await page.getByRole('link', { name: 'my-app' }).click();
  await assertText(page.getByRole('dialog'), /Uid at the Ceph ks-/);

  const aws = async (at, ...args) => {
    const done = await awsCli(at, key, 's3', ...args);
    assert.equal(done.code, 0, done.all);
  };
  await aws(server, 'mb', 's3://my-app-data');
  await aws(ceph, 'cp', '/etc/hostname', 's3://my-app-data/folder/hostname');
  assert.deepEqual(await answers(key, 'my-app-data'), [200, 200]);

  await act(page, 'Renew key');
  const renewed = await secretDialog(page);
  assert.equal(renewed.id, made.id, 'the id stays');
  await renewed.close();
  assert.deepEqual(await answers(key, 'my-app-data'), ['403 SignatureDoesNotMatch', '403 SignatureDoesNotMatch'], 'the old secret is dead');
  assert.deepEqual(await answers(renewed, 'my-app-data'), [200, 200]);

  await page.getByRole('button', { name: 'Lock user' }).click();
  await page.getByLabel('Reason').fill('audit under way');
  await page.getByRole('dialog').last().getByRole('button', { name: 'Lock user' }).click();
  await page.getByText('Because: audit under way').waitFor();
  await act(page, 'Renew key');
  const refused = page.getByRole('dialog', { name: 'The key was not renewed' });
  await refused.getByText('my-app is locked').waitFor();
  await refused.getByRole('button', { name: 'Close', exact: true }).last().click();
  assert.deepEqual(await answers(renewed, 'my-app-data'), [200, 200], 'a lock stops no key');
  await act(page, 'Unlock user');
  await page.getByText('RGW user my-app unlocked.').waitFor();

  // How far it is cannot be missed: the page learns that it is over only when it was seen.
  let proceed;
  const watched = new Promise((resolve) => { proceed = resolve; });
  await page.route('**/rgw/jobs/*', async (route) => {
    await watched;
    await route.continue();
  });
  await page.getByRole('button', { name: 'Delete user' }).click();
  const question = page.getByRole('dialog', { name: 'Delete RGW user my-app?' });
  await question.getByRole('checkbox').check();
  await question.getByLabel(/^Type/).fill('my-app');
  await question.getByRole('button', { name: 'Delete user' }).click();
  const progress = page.getByRole('alert').filter({ hasText: 'It is being deleted' });
  await assertText(progress, /with 0 objects so far\. Began .* goes on when this page is left/);
  proceed();
  await page.getByText('RGW user my-app deleted with its objects.').waitFor({ timeout: 60_000 });
  assert.equal(place(page), '/rgw/users');
  assert.deepEqual(await answers(renewed, 'my-app-data'), ['401 InvalidAccessKeyId', '403 InvalidAccessKeyId']);
  assertQuiet(seen);
});

test('a user that the Ceph has already is adopted, its changes there are shown, and it is given back', { skip }, async (t) => {
  const key = { id: 'LEGACYKEY', secret: 'a-secret-of-the-ceph' };
  await ceph.admin('user', 'create', '--uid=legacy', '--display-name=Legacy app', `--access-key=${key.id}`, `--secret=${key.secret}`);
  assert.deepEqual((await awsCli(ceph, key, 's3', 'mb', 's3://legacy-data')).code, 0);
  const { page, seen } = await open(t, '/rgw/users');
  await page.getByRole('button', { name: 'Adopt RGW user' }).click();
  const form = page.getByRole('dialog', { name: 'Adopt RGW user' });
  await field(form, 'Uid').fill('leg');
  await page.getByRole('option', { name: 'legacy' }).click();
  await assertSound(page, seen);
  await form.getByRole('button', { name: 'Adopt user' }).click();
  await page.getByText('RGW user Legacy app adopted.').waitFor();
  const drawer = page.getByRole('dialog', { name: 'RGW user Legacy app' });
  await assertText(drawer, /Adopted It was there before/);
  const address = place(page);
  assert.deepEqual(await answers(key, 'legacy-data'), [200, 200], 'its key is kept, and works at the gateway too');

  await visit(page, server, `${address}?tab=buckets`);
  await page.getByRole('button', { name: 'Access to bucket legacy-data' }).click();
  const access = page.getByRole('dialog', { name: 'Access to legacy-data' });
  await access.getByRole('radio', { name: 'Everybody lists it', exact: true }).check();
  await access.getByRole('button', { name: 'Set ACL' }).click();
  await page.getByText('Bucket legacy-data is public-read.').waitFor();
  assert.equal((await fetch(`${ceph.s3_endpoint}/legacy-data`)).status, 200, 'everybody lists it at the Ceph');
  assert.equal((await awsCli(ceph, key, 's3', 'cp', '/etc/hostname', 's3://legacy-data/hostname')).code, 0);
  assert.equal((await fetch(`${ceph.s3_endpoint}/legacy-data/hostname`)).status, 403, 'and reads nothing of it');

  await ceph.admin('key', 'create', '--uid=legacy', '--key-type=s3', `--access-key=${key.id}`, '--secret=changed-behind-our-back');
  await ceph.admin('user', 'modify', '--uid=legacy', '--display-name=Renamed there');
  await visit(page, server, address);
  await drawer.getByText('Its access key has another secret').waitFor();
  await drawer.getByText('Its name is another there.').waitFor();
  await act(page, 'Renew key');
  const renewed = await secretDialog(page);
  await renewed.close();
  await drawer.getByText('Its access key has another secret').waitFor({ state: 'detached' });
  assert.deepEqual(await answers(renewed, 'legacy-data'), [200, 200]);

  await page.getByRole('button', { name: 'Forget user' }).click();
  await assertSound(page, seen);
  await page.getByRole('dialog').last().getByRole('button', { name: 'Forget user' }).click();
  await page.getByText('RGW user Legacy app forgotten.').waitFor();
  assert.equal(place(page), '/rgw/users');
  assert.deepEqual(await answers(renewed, 'legacy-data'), ['401 InvalidAccessKeyId', 200], 'it stays at the Ceph');
  assertQuiet(seen);
});

test('a user is adopted and given back without a mouse', { skip }, async (t) => {
  const key = { id: 'KEYBOARDKEY', secret: 'a-secret-that-was-there' };
  await ceph.admin('user', 'create', '--uid=by-keys', '--display-name=By keys', `--access-key=${key.id}`, `--secret=${key.secret}`);
  assert.deepEqual((await awsCli(ceph, key, 's3', 'mb', 's3://by-keys-data')).code, 0);
  const { page, seen } = await open(t, '/rgw/users');
  const form = page.getByRole('dialog', { name: 'Adopt RGW user' });
  await tabTo(page, 'Adopt RGW user');
  await page.keyboard.press('Enter');
  await form.waitFor();
  await assertTrapped(page);
  await tabTo(page, 'Cancel');
  await page.keyboard.press('Enter');
  await form.waitFor({ state: 'detached' });
  await until('the focus returns to where it was', async () => (await focused(page)).name === 'Adopt RGW user');
  await page.keyboard.press('Enter');
  await form.waitFor();
  await tabTo(page, 'Uid');
  await page.keyboard.type('by-');
  await page.getByRole('option', { name: 'by-keys' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await tabTo(page, 'Adopt user');
  await page.keyboard.press('Enter');
  await page.getByText('RGW user By keys adopted.').waitFor();
  await page.getByRole('dialog', { name: 'RGW user By keys' }).waitFor();
  assert.deepEqual(await answers(key, 'by-keys-data'), [200, 200]);

  await ask(page, 'Forget user', /^Forget/);
  await tabTo(page, 'Forget user');
  await page.keyboard.press('Enter');
  await page.getByText('RGW user By keys forgotten.').waitFor();
  assert.equal(place(page), '/rgw/users');
  assert.deepEqual(await answers(key, 'by-keys-data'), ['401 InvalidAccessKeyId', 200]);
  assertQuiet(seen);
});

test('a Ceph is added with the key of its Admin Ops API, told how to mend that, and edited', { skip }, async (t) => {
  const ops = { id: 'OPSKEY', secret: 'a-secret-for-the-admin-ops' };
  await ceph.admin('user', 'create', '--uid=ops', '--display-name=Ops', `--access-key=${ops.id}`, `--secret=${ops.secret}`, '--caps=users=read');
  const { page, seen } = await open(t, '/admin/backends', { ...looks, permissions: ['clipboard-read', 'clipboard-write'] });
  await page.getByRole('button', { name: 'Add backend' }).click();
  const form = page.getByRole('dialog', { name: 'Add backend' });
  assert.equal(await field(form, 'Admin access key id').count(), 0, 'what is no Ceph has no Admin Ops API');
  await form.getByRole('radio', { name: 'Ceph RGW' }).check();
  await field(form, 'Id').fill('ceph-2');
  await field(form, 'Endpoint').fill(ceph.s3_endpoint);
  await field(form, 'Access key id').fill(ceph.access_key_id);
  await field(form, 'Secret access key').fill(ceph.secret_access_key);
  await field(form, 'Admin Ops endpoint').fill('http://169.254.169.254');
  await field(form, 'Admin access key id').fill(ops.id);
  assert.equal(await field(form, 'Admin secret access key').getAttribute('type'), 'password', 'it is masked');
  await field(form, 'Admin secret access key').fill(ops.secret);
  await assertSound(page, seen);
  await form.getByRole('button', { name: 'Add backend' }).click();
  await form.getByText(/Leads to an address that is not allowed/i).waitFor();
  await field(form, 'Admin Ops endpoint').fill('');
  await form.getByRole('button', { name: 'Add backend' }).click();
  await page.waitForURL(/backends\/ceph-2\?tab=test/);

  const drawer = page.getByRole('dialog', { name: 'Backend ceph-2' });
  await drawer.getByRole('button', { name: 'Test backend' }).click();
  const steps = drawer.getByRole('list', { name: 'Steps of the test' });
  await assertText(steps, /Its Admin Ops API accepts its key, which has the capabilities ?failed ?The key lacks capabilities/);
  await assertSound(page, seen);
  const mend = await copied(page, steps, 'command');
  assert.equal(mend, "radosgw-admin caps add --uid='ops' --caps='buckets=*;metadata=read;users=*'");
  await ceph.admin(...mend.replaceAll("'", '').split(' ').slice(1));
  await drawer.getByRole('button', { name: 'Test backend again' }).click();
  await assertText(steps, /Its clock agrees ?passed .*The Admin Ops API answers as user ops, .*What it can be trusted with is known ?passed .*; not: .*[Tt]railer/);

  await drawer.getByRole('tab', { name: 'About' }).click();
  await assertText(drawer, new RegExp(`Kind Ceph RGW.*Admin Ops API ${ceph.s3_endpoint}.*Its access key id OPSKEY`));
  await drawer.getByRole('button', { name: 'Edit backend' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit backend ceph-2' });
  await field(edit, 'Admin access key id').fill(ceph.access_key_id);
  await edit.getByRole('button', { name: 'Save backend' }).click();
  assert.equal(await field(edit, 'Secret access key').evaluate((input) => input.validity.valid), true, 'the S3 key stays as it is');
  assert.equal(await field(edit, 'Admin secret access key').evaluate((input) => input.validity.valueMissing), true, 'another key needs its secret');
  await field(edit, 'Admin secret access key').fill(ceph.secret_access_key);
  await edit.getByRole('button', { name: 'Save backend' }).click();
  await page.getByText('Backend ceph-2 changed.').waitFor();
  await drawer.getByRole('tab', { name: 'Test' }).click();
  await drawer.getByRole('button', { name: 'Test backend' }).click();
  await assertText(steps, /answers as user keystile/);
  await server.api('DELETE', '/api/backends/ceph-2');
  assertQuiet(seen);
});
