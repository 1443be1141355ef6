// Backends and their buckets, in the pages and as they are.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertQuiet, openSignedIn, startBrowser, until } from './lib/browser.mjs';
import { assertText, field, place, visit } from './lib/pages.mjs';
import { listing } from './lib/s3.mjs';
import { newCredential, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
let storage; // another gateway, which is S3 storage to the first
let admin; // its key
before(async () => {
  [browser, server, storage] = await Promise.all([startBrowser(undo), startServer(undo), startServer(undo)]);
  admin = await newCredential(storage, { description: 'of the gateway in front' });
});

const open = async (t, path) => {
  const opened = await openSignedIn(t, browser, server);
  await visit(opened.page, server, path);
  return opened;
};

const table = (page) => page.getByRole('table', { name: 'Backends' });

test('a backend is added, tested, used, edited and removed', async (t) => {
  const { page, seen } = await open(t, '/admin/backends');
  await page.getByRole('button', { name: 'Add backend' }).click();
  const form = page.getByRole('dialog', { name: 'Add backend' });
  await field(form, 'Id').fill('behind');
  await field(form, 'Endpoint').fill(storage.s3_endpoint);
  await field(form, 'Access key id').fill(admin.access_key_id);
  await field(form, 'Secret access key').fill(admin.secret_access_key);
  await form.getByRole('button', { name: 'Add backend' }).click();
  await page.waitForURL(/backends\/behind\?tab=test/);
  const drawer = page.getByRole('dialog', { name: 'Backend behind' });
  await drawer.getByRole('button', { name: 'Test backend' }).click();
  const steps = drawer.getByRole('list', { name: 'Steps of the test' });
  await assertText(steps, /It answers at its endpoint ?passed/);
  await assertText(steps, /It accepts the access key ?passed/);
  await assertText(steps, /It lists its buckets ?passed/);
  await assertText(table(page), /behind ?healthy/);

  const made = await newCredential(server, { description: 'through both', grants: [{ backend: 'behind', bucket: 'uploads', permissions: ['read', 'list'] }] });
  assert.equal((await listing(server, { id: made.access_key_id, secret: made.secret_access_key }, 'uploads')).status, 200);

  await drawer.getByRole('tab', { name: 'About' }).click();
  await drawer.getByRole('button', { name: 'Edit backend' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit backend behind' });
  await field(edit, 'Endpoint').fill('http://127.0.0.1:9');
  await edit.getByText('Needed again: a new endpoint or access key never gets the stored secret').waitFor();
  await edit.getByRole('button', { name: 'Save backend' }).click();
  assert.equal(await field(edit, 'Secret access key').evaluate((input) => input.validity.valueMissing), true);
  await field(edit, 'Secret access key').fill('another secret');
  await edit.getByRole('button', { name: 'Save backend' }).click();
  await page.getByText('Backend behind changed.').waitFor();
  await assertText(drawer, /Endpoint http:\/\/127\.0\.0\.1:9/);

  await drawer.getByRole('button', { name: 'Remove backend' }).click();
  const question = page.getByRole('dialog', { name: 'Remove backend behind?' });
  await assertText(question, /1 live credential names it: .*It can be removed once they are revoked/);
  assert.equal(await question.getByRole('button', { name: 'Remove backend' }).count(), 0, 'what is used cannot be removed');
  await question.getByRole('button', { name: `Revoke key ${made.access_key_id}` }).click();
  await page.getByRole('dialog', { name: `Revoke key ${made.access_key_id}?` }).getByRole('button', { name: 'Revoke key', exact: true }).click();
  await page.getByText(`Key ${made.access_key_id} revoked.`).waitFor();
  await question.getByRole('button', { name: 'Close', exact: true }).last().click();
  await drawer.getByRole('button', { name: 'Remove backend' }).click();
  await question.getByRole('button', { name: 'Remove backend' }).click();
  await page.getByText('Backend behind removed.').waitFor();
  assert.equal(place(page), '/admin/backends');
  assert.deepEqual((await server.api('GET', '/api/backends')).items.map(({ id }) => id), ['local']);
  assertQuiet(seen);
});

test('a backend that is down says so where its buckets are', async (t) => {
  await server.api('POST', '/api/backends', { id: 'down', endpoint: 'http://127.0.0.1:9', region: 'us-east-1', path_style: true, access_key_id: 'AK', secret_access_key: 's' });
  const { page } = await open(t, '/admin/backends/down?tab=buckets');
  await until('the health check has run', async () => Boolean((await server.api('GET', '/api/backends/down')).health.checked_at), 30_000);
  await visit(page, server, '/admin/backends/down?tab=buckets');
  await page.getByRole('alert').getByText('The backend is unhealthy').waitFor();
  await page.getByRole('tab', { name: 'Test' }).click();
  await page.getByRole('button', { name: 'Test backend' }).click();
  await assertText(page.getByRole('list', { name: 'Steps of the test' }), /It answers at its endpoint ?failed/);
  await visit(page, server, '/admin/s3-proxy');
  await page.getByRole('button', { name: 'Create credential' }).first().click();
  await page.getByText('down does not list its buckets').waitFor();
  await server.api('DELETE', '/api/backends/down');
});

describe('buckets', () => {
  test('one is created, found by the search, and deleted after its name was typed', async (t) => {
    const { page, seen } = await open(t, '/admin/backends/local?tab=buckets');
    await page.getByLabel('New bucket').fill('photos');
    await page.getByRole('button', { name: 'Create bucket' }).click();
    await page.getByText('Bucket photos created on local.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('/');
    await page.keyboard.type('phot');
    await page.getByRole('option', { name: 'local/photos' }).click();
    await page.waitForURL(/backends\/local\?tab=buckets&q=photos/);
    await page.getByRole('button', { name: 'Delete bucket photos' }).click();
    const question = page.getByRole('dialog', { name: 'Delete bucket photos?' });
    const confirm = question.getByRole('button', { name: 'Delete bucket' });
    await question.getByLabel(/^Type/).fill('photo');
    assert.equal(await confirm.isDisabled(), true, 'the whole name is asked for');
    await question.getByLabel(/^Type/).fill('photos');
    await confirm.click();
    await page.getByText('Bucket photos deleted from local.').waitFor();
    assert.ok(!(await server.api('GET', '/api/backends/local/buckets')).items.some(({ bucket }) => bucket === 'photos'));
    assertQuiet(seen);
  });

  test('one that holds objects stays, and the page says why', async (t) => {
    const { page } = await open(t, '/admin/backends/local?tab=buckets');
    await page.getByRole('button', { name: 'Delete bucket uploads' }).click();
    const question = page.getByRole('dialog', { name: 'Delete bucket uploads?' });
    await question.getByLabel(/^Type/).fill('uploads');
    await question.getByRole('button', { name: 'Delete bucket' }).click();
    await question.getByRole('alert').getByText('The bucket was not deleted').waitFor();
    assert.ok((await server.api('GET', '/api/backends/local/buckets')).items.some(({ bucket }) => bucket === 'uploads'));
  });
});

test('the history tells how healthy a backend was, in the strip and in a table', async (t) => {
  await until('a look is kept', async () => (await server.api('GET', '/api/backends/local/health')).items.length > 0, 30_000);
  const { page, seen } = await open(t, '/admin/backends/local');
  await page.getByRole('tab', { name: 'Health' }).click();
  await page.waitForURL(/tab=health/);
  await page.getByText('Healthy 100 % of the time that is known of the last 24 hours.').waitFor();
  await assertText(page.getByRole('table', { name: 'Health, newest first' }), /healthy .*ms/);
  await page.locator('svg rect[data-state=healthy]').waitFor();
  assertQuiet(seen);
});
