// Buckets opened to everybody, in the page and at the gateway.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertQuiet, openSignedIn, startBrowser } from './lib/browser.mjs';
import { field, visit } from './lib/pages.mjs';
import { newCredential, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
let closed; // a server whose configuration closes every binding
before(async () => {
  [browser, server, closed] = await Promise.all([startBrowser(undo), startServer(undo), startServer(undo, { KEYSTILE_S3_PROXY_ANONYMOUS_ENABLED: 'false' })]);
});

const status = async (url) => (await fetch(url)).status;

test('a binding is added, readable at its public URL, and gone when it is removed', async (t) => {
  const { page, seen } = await openSignedIn(t, browser, server);
  await visit(page, server, '/admin/s3-proxy/anonymous');
  await page.getByText('Nothing is open: every request needs a key.').waitFor();
  await page.getByText(/Anonymous reads are on/).waitFor();
  await page.getByRole('button', { name: 'Add anonymous binding' }).first().click();
  const form = page.getByRole('dialog', { name: 'Add anonymous binding' });
  await field(form, 'Bucket').click();
  await page.getByRole('option', { name: 'uploads', exact: true }).click();
  await field(form, 'Public name').fill('press');
  await form.getByText(`Readable at ${server.s3_endpoint}/press`).waitFor();
  await form.getByRole('button', { name: 'Add anonymous binding' }).click();
  const row = page.getByRole('table', { name: 'Anonymous bindings' }).getByRole('row').filter({ hasText: 'press' });
  const url = (await row.locator('code').first().innerText()).trim();
  assert.equal(url, `${server.s3_endpoint}/press`);
  assert.equal(await status(`${url}/welcome.txt`), 200);
  assert.equal(await status(`${url}?list-type=2`), 403, 'it was opened to reading alone');
  assert.equal(await status(`${server.s3_endpoint}/uploads/welcome.txt`), 403, 'under its public name alone');
  await row.getByRole('button', { name: 'Remove binding' }).click();
  const question = page.getByRole('dialog', { name: 'Remove binding press?' });
  await question.getByText(url).waitFor();
  await question.getByRole('button', { name: 'Remove binding' }).click();
  await page.getByText('Binding press removed.').waitFor();
  assert.equal(await status(`${url}/welcome.txt`), 403);
  assertQuiet(seen);
});

test('the page says when the configuration has closed all of them, and they are', async (t) => {
  await newCredential(closed);
  const { url } = await closed.api('POST', '/api/anonymous-bindings', { backend: closed.backend_id, bucket: 'uploads', name: 'press' });
  const { page } = await openSignedIn(t, browser, closed);
  await visit(page, closed, '/admin/s3-proxy/anonymous');
  await page.getByText('Anonymous reads are off').waitFor();
  await page.getByText('s3_proxy.anonymous_enabled: false').waitFor();
  assert.equal(await status(`${url}/welcome.txt`), 403);
});
