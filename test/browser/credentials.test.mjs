// What is done to keys in the pages, and that it holds at the gateway.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

import { assertQuiet, openSignedIn, startBrowser, until } from './lib/browser.mjs';
import { assertText, field, fillCredential, place, secretDialog, settled, visit } from './lib/pages.mjs';
import { listing } from './lib/s3.mjs';
import { newAccount, newCredential, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
  await newAccount(server, 'maria', 'user');
});

const open = async (t, path) => {
  const opened = await openSignedIn(t, browser, server);
  await visit(opened.page, server, path);
  return opened;
};
const keyOf = (made) => ({ id: made.access_key_id, secret: made.secret_access_key });
const answerTo = async (key, bucket = 'uploads') => (await listing(server, key, bucket)).status;
const row = (page, text) => page.getByRole('table', { name: 'Credentials' }).getByRole('row').filter({ hasText: text });

/** Waits until a key's requests are counted, which takes a few seconds. */
const counted = (id, requests) => until('the requests are counted', async () => (await server.api('GET', `/api/credentials/${id}/traffic`)).last_hour.requests === requests, 30_000);

/** Writes an object; gives the status. */
async function put({ id, secret }, bucket, name) {
  const client = new S3Client({
    endpoint: server.s3_endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials: { accessKeyId: id, secretAccessKey: secret },
  });
  try {
    return (await client.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body: 'x' }))).$metadata.httpStatusCode;
  } catch (error) {
    return error.$metadata.httpStatusCode;
  } finally {
    client.destroy();
  }
}

describe('create credential', () => {
  test('a prefix, an alias, an expiry and an owner hold at the gateway as the sentence says', async (t) => {
    const { page, seen } = await open(t, '/admin/s3-proxy');
    const form = await fillCredential(page, { description: 'scoped', bucket: 'uploads', also: ['Write'] });
    await field(form, 'Prefix').fill('2026');
    await form.getByText('Matches 2026/a.jpg, not 20260/a.jpg').waitFor();
    await assertText(form, /May read, list and write uploads\/2026\/ on local; may do nothing else\./);
    await form.getByText('Empty fields: nothing beside them.').waitFor();
    await form.getByRole('combobox', { name: 'Expires' }).click();
    await page.getByRole('option', { name: 'In 30 days' }).click();
    await form.getByRole('combobox', { name: 'Owner' }).click();
    await page.getByRole('option', { name: 'maria' }).click();
    await form.getByRole('button', { name: 'Create credential' }).click();
    const { id, secret, close } = await secretDialog(page);
    await close();
    assert.equal(await put({ id, secret }, 'uploads', '2026/a.jpg'), 200);
    assert.equal(await put({ id, secret }, 'uploads', '20260/a.jpg'), 403);
    await assertText(row(page, 'scoped'), /active local\/uploads\/2026\/ read, list and write .*in 30 days maria/);
    const { owner, quota } = await server.api('GET', `/api/credentials/${id}`);
    assert.deepEqual([owner, quota.inherits], ['maria', true]);
    assertQuiet(seen);
  });

  test('an alias is the name that the key opens', async (t) => {
    const { page } = await open(t, '/admin/s3-proxy');
    const form = await fillCredential(page, { description: 'aliased', bucket: 'reports' });
    await field(form, 'Alias').fill('published');
    await form.getByRole('button', { name: 'Create credential' }).click();
    const { id, secret, close } = await secretDialog(page);
    await close();
    assert.equal(await answerTo({ id, secret }, 'published'), 200);
    assert.equal(await answerTo({ id, secret }, 'reports'), 403);
  });

  test('a prefix with an alias is a bucket of its own', async (t) => {
    const { page } = await open(t, '/admin/s3-proxy');
    const form = await fillCredential(page, { description: 'a team', bucket: 'uploads', also: ['Write'] });
    await field(form, 'Prefix').fill('team-a');
    await field(form, 'Alias').fill('team-a');
    await assertText(form, /The client sees team-a, which is uploads\/team-a\/ on local/);
    await form.getByRole('button', { name: 'Create credential' }).click();
    const { id, secret, close } = await secretDialog(page);
    await close();
    assert.equal(await put({ id, secret }, 'team-a', 'a.jpg'), 200);
    assert.equal(await answerTo({ id, secret }, 'team-a'), 200);
    assert.equal(await put({ id, secret }, 'uploads', 'team-a/a.jpg'), 403);
  });

  test('an expiry is a date that lies in the future', async (t) => {
    const { page } = await open(t, '/admin/s3-proxy');
    const form = await fillCredential(page, { description: 'dated', bucket: 'uploads' });
    await form.getByRole('combobox', { name: 'Expires' }).click();
    await page.getByRole('option', { name: 'On a date' }).click();
    await field(form, 'Date and time').fill('2020-01-01T00:00');
    await form.getByRole('button', { name: 'Create credential' }).click();
    await form.getByText('The expiry must lie in the future').waitFor();
    await field(form, 'Date and time').fill('2099-12-31T23:59');
    await form.getByRole('button', { name: 'Create credential' }).click();
    const { id, close } = await secretDialog(page);
    await close();
    assert.match((await server.api('GET', `/api/credentials/${id}`)).expires_at, /^(2099-12-31|2100-01-01)/);
  });

  test('faults are named at their fields, and nothing is made', async (t) => {
    const { page } = await open(t, '/admin/s3-proxy?q=faulty');
    const form = await fillCredential(page, { description: 'faulty', bucket: 'uploads' });
    await field(form, 'Alias').fill('NO');
    await form.getByRole('button', { name: 'Create credential' }).click();
    await until('the fault at its field', () => field(form, 'Alias').evaluate((input) => document.getElementById(input.getAttribute('aria-describedby'))?.innerText));
    assert.equal((await server.api('GET', '/api/credentials?q=faulty')).items.length, 0);
  });
});

describe('a key in its drawer', () => {
  test('is narrowed, and the old right is gone at once', async (t) => {
    const made = await newCredential(server, { description: 'to be narrowed' });
    const { page } = await open(t, `/admin/s3-proxy/credentials/${made.access_key_id}`);
    assert.equal(await put(keyOf(made), 'uploads', 'wide'), 200);
    await page.getByRole('button', { name: 'Edit credential' }).click();
    const form = page.getByRole('dialog', { name: `Edit ${made.access_key_id}` });
    await form.getByText('Write', { exact: true }).click();
    await field(form, 'Description').fill('narrowed');
    await form.getByRole('button', { name: 'Save credential' }).click();
    await page.getByText(`Key ${made.access_key_id} changed.`).waitFor();
    assert.equal(await put(keyOf(made), 'uploads', 'wide'), 403);
    assert.equal(await answerTo(keyOf(made)), 200);
    await assertText(page.getByRole('dialog'), /narrowed .*May read, list and delete all of uploads/);
  });

  test('is bound by an allowance, which shows as a bar, until that is taken away', async (t) => {
    const made = await newCredential(server, { description: 'to be bound' });
    const { page } = await open(t, `/admin/s3-proxy/credentials/${made.access_key_id}`);
    const form = page.getByRole('dialog', { name: `Edit ${made.access_key_id}` });
    const edit = async (allowance) => {
      await page.getByRole('button', { name: 'Edit credential' }).click();
      await field(form, 'Allowance').fill(allowance);
      await form.getByRole('button', { name: 'Save credential' }).click();
    };
    await edit('much');
    await form.getByText('A number of bytes, or one with KiB, MiB, GiB or TiB').waitFor();
    await field(form, 'Allowance').fill('2');
    await form.getByRole('button', { name: 'Save credential' }).click();
    await form.waitFor({ state: 'detached' });
    for (const status of [200, 200, 507]) {
      assert.equal(await put(keyOf(made), 'uploads', 'bound'), status);
    }
    await page.reload();
    const limits = page.getByRole('region', { name: 'Limits of this key' });
    await assertText(limits, /Written today \(UTC\), of its allowance 2 B of 2 B, used up/);
    await limits.getByRole('progressbar', { name: 'Written today (UTC), of its allowance: 100 %' }).waitFor();
    const inList = row(page, 'to be bound');
    await assertText(inList, /2 B of 2 B its allowance today, used up/);
    await inList.getByRole('progressbar', { name: 'Quota of its allowance today: 100 %', includeHidden: true }).waitFor();
    await server.api('PUT', '/api/backends/local/buckets/uploads/quota', { hard_bytes: 4 << 20, soft_bytes: 2 << 20 });
    await edit('');
    await form.waitFor({ state: 'detached' });
    await limits.waitFor({ state: 'detached' });
    await assertText(inList, / of 4\.00 MiB local\/uploads/); // what is tightest now
    await server.api('DELETE', '/api/backends/local/buckets/uploads/quota');
    assert.equal(await put(keyOf(made), 'uploads', 'bound'), 200);
  });

  test('is disabled and enabled', async (t) => {
    const made = await newCredential(server, { description: 'to be disabled' });
    const { page } = await open(t, `/admin/s3-proxy/credentials/${made.access_key_id}`);
    for (const [button, word, status] of [['Disable key', 'disabled', 401], ['Enable key', 'active', 200]]) {
      await page.getByRole('button', { name: button, exact: true }).click();
      await page.getByRole('dialog', { name: `${button} ${made.access_key_id}?` }).getByRole('button', { name: button, exact: true }).click();
      await assertText(page.getByRole('dialog').first(), new RegExp(`Status ${word}`));
      assert.equal(await answerTo(keyOf(made)), status, button);
    }
  });

  test('is rotated with an overlap: both secrets work, and revoking ends both', async (t) => {
    const made = await newCredential(server, { description: 'to be rotated' });
    const { page } = await open(t, `/admin/s3-proxy/credentials/${made.access_key_id}`);
    await page.getByRole('button', { name: 'Rotate key' }).click();
    const dialog = page.getByRole('dialog', { name: `Rotate ${made.access_key_id}?` });
    await dialog.getByRole('combobox', { name: 'The current secret' }).click();
    await page.getByRole('option', { name: 'Works for 1 hour more' }).click();
    await dialog.getByRole('button', { name: 'Rotate key' }).click();
    const next = await secretDialog(page);
    await next.close();
    assert.deepEqual([await answerTo(keyOf(made)), await answerTo(next)], [200, 200]);
    await assertText(page.getByRole('dialog'), /Old secret ends in (1 hour|60 minutes|59 minutes)/);
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke key', exact: true }).click();
    await page.getByRole('dialog', { name: /^Revoke key/ }).getByRole('button', { name: 'Revoke key', exact: true }).click();
    await page.getByText(`Key ${made.access_key_id} revoked.`).waitFor();
    assert.deepEqual([await answerTo(keyOf(made)), await answerTo(next)], [401, 401]);
  });

  test('what breaks is told from what was counted', async (t) => {
    const [used, idle] = [await newCredential(server, { description: 'used' }), await newCredential(server, { description: 'idle' })];
    for (let i = 0; i < 3; i += 1) {
      assert.equal(await answerTo(keyOf(used)), 200);
    }
    await counted(used.access_key_id, 3);
    const { page } = await open(t, `/admin/s3-proxy/credentials/${used.access_key_id}`);
    await assertText(page.getByRole('dialog'), /Lately Used 3 times in the last hour, 3 in 24 h/);
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke key', exact: true }).click();
    await assertText(page.getByRole('dialog', { name: /^Revoke key/ }), /Used 3 times in the last hour, 3 in 24 h\. It was last used/);
    await visit(page, server, `/admin/s3-proxy/credentials/${idle.access_key_id}`);
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke key', exact: true }).click();
    await assertText(page.getByRole('dialog', { name: /^Revoke key/ }), /It was never used\./);
  });
});

describe('several keys', () => {
  const deeds = { 'disable': { verb: 'Disable', word: 'disabled' }, 'revoke': { verb: 'Revoke', word: 'revoked' } };
  for (const [deed, { verb, word }] of Object.entries(deeds)) {
    test(`${deed} at once, after what breaks was told; the others stay`, async (t) => {
      const made = await Promise.all(['one', 'two', 'three'].map((n) => newCredential(server, { description: `${deed} ${n}` })));
      for (const one of made) {
        assert.equal(await answerTo(keyOf(one)), 200);
      }
      await Promise.all(made.map((one) => counted(one.access_key_id, 1)));
      const { page, seen } = await open(t, `/admin/s3-proxy?q=${deed}+`);
      for (const one of made.slice(0, 2)) {
        await page.getByRole('checkbox', { name: `Select ${one.access_key_id}` }).check();
      }
      await page.getByRole('toolbar').getByText('2 keys selected').waitFor();
      await page.getByRole('button', { name: `${verb} keys` }).click();
      const question = page.getByRole('dialog', { name: `${verb} 2 keys?` });
      await assertText(question, deed === 'revoke'
        ? /for good\. .*Together: used 2 times in the last hour, 2 in 24 h\. .*Used 1 time in the last hour/
        : /until they are enabled again\. Together: used 2 times/);
      await question.getByRole('button', { name: `${verb} 2 keys` }).click();
      const told = page.getByRole('alert').filter({ hasText: `2 keys ${word}.` });
      assert.equal(await told.getByRole('link', { name: 'Show in audit' }).getAttribute('href'), `/admin/audit?action=credential.${deed}`);
      assert.deepEqual(await Promise.all(made.map((one) => answerTo(keyOf(one)))), [401, 401, 200]);
      await assertText(row(page, `${deed} one`), new RegExp(word));
      assertQuiet(seen);
    });
  }
});

describe('revoking from every place where a key is shown', () => {
  const places = {
    'the list': (id) => `/admin/s3-proxy?q=${id}`,
    'the overview': () => '/admin',
    'the audit trail': (id) => `/admin/audit?access_key_id=${id}&action=s3.`,
  };
  for (const [where, path] of Object.entries(places)) {
    test(`from ${where}`, async (t) => {
      const made = await newCredential(server, { description: `revoked from ${where}` });
      for (let i = 0; i < 4; i += 1) { // which makes it one of the busiest
        assert.equal(await put(keyOf(made), 'uploads', 'x'), 200);
      }
      await counted(made.access_key_id, 4);
      const { page, seen } = await open(t, path(made.access_key_id));
      await page.getByRole('button', { name: `Revoke key ${made.access_key_id}` }).first().click();
      await page.getByRole('dialog', { name: `Revoke key ${made.access_key_id}?` }).getByRole('button', { name: 'Revoke key', exact: true }).click();
      await page.getByText(`Key ${made.access_key_id} revoked.`).waitFor();
      assert.equal(await answerTo(keyOf(made)), 401);
      assertQuiet(seen);
    });
  }

  test('from an event', async (t) => {
    const made = await newCredential(server, { description: 'revoked from an event' });
    assert.equal(await put(keyOf(made), 'uploads', 'x'), 200);
    const { page } = await open(t, `/admin/audit?access_key_id=${made.access_key_id}&action=s3.`);
    await page.getByRole('table', { name: 'Audit events' }).getByRole('link').first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click();
    await page.getByRole('dialog', { name: /^Revoke key/ }).getByRole('button', { name: 'Revoke key', exact: true }).click();
    await page.getByText(`Key ${made.access_key_id} revoked.`).waitFor();
    assert.equal(await answerTo(keyOf(made)), 401);
  });
});

describe('the list', () => {
  test('is searched and narrowed to an owner by its address, and a reload keeps both', async (t) => {
    const { access_key_id: id } = await newCredential(server, { description: 'needle of maria', owner: 'maria' });
    await newCredential(server, { description: 'needle of nobody' });
    const { page } = await open(t, '/admin/s3-proxy');
    await page.getByRole('searchbox', { name: /^Search/ }).fill('needle');
    await page.waitForURL(/q=needle/);
    await row(page, 'needle of nobody').waitFor();
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByRole('menuitem', { name: 'Owner' }).click();
    await page.getByRole('combobox', { name: 'Owner' }).click();
    await page.getByRole('option', { name: 'maria' }).click();
    await page.waitForURL(/owner=maria/);
    await page.reload();
    await settled(page);
    assert.match(place(page), /q=needle/);
    assert.equal(await page.getByRole('table', { name: 'Credentials' }).locator('tbody tr').count(), 1);
    await row(page, id).waitFor();
  });
});
