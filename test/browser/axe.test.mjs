// axe finds nothing serious on any page or dialog, in either theme, on a desk or a phone.
import { after, before, test } from 'node:test';

import { assertSound, options } from './lib/axe.mjs';
import { openContext, openSignedIn, startBrowser, until } from './lib/browser.mjs';
import { field, fillCredential, settled, visit } from './lib/pages.mjs';
import { listing } from './lib/s3.mjs';
import { newAccount, newCredential, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
let key;
let project;
let rgwUser;
let lockedUser;
let hook;
let bound;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
  key = (await newCredential(server, { description: 'a key that is looked at' })).access_key_id;
  const old = await newCredential(server, { description: `revoked, with a long description ${'and more '.repeat(20)}` });
  await server.api('POST', `/api/credentials/${old.access_key_id}/revoke`);
  await newAccount(server, 'someone', 'user');
  project = (await server.api('POST', '/api/projects', { name: `Looked at${', with a long name'.repeat(3)}` })).id;
  rgwUser = (await server.api('POST', '/rgw/users', { user: { name: 'looked-at', project_id: project } })).id;
  lockedUser = (await server.api('POST', '/rgw/users', { user: { name: 'locked', project_id: project } })).id;
  await server.api('PATCH', `/rgw/users/${lockedUser}`, { locked: true, lock_reason: 'audit under way' });
  await server.api('POST', `/rgw/users/${rgwUser}/buckets`, { name: 'looked-at-data' });
  await server.api('POST', `/api/projects/${project}/members`, { account: 'someone', role: 'member', permissions: ['rgw:write'] });
  const used = await newCredential(server, { description: 'a key that is used' });
  for (const bucket of ['uploads', 'reports']) {
    await listing(server, { id: used.access_key_id, secret: used.secret_access_key }, bucket);
  }
  bound = (await newCredential(server, {
    description: 'a key with limits', quota: { ceiling_bytes: 1 << 20, ceiling_objects: 3, allowance_bytes: 20, allowance_per: 'day' },
  })).access_key_id;
  await server.api('PUT', `/api/backends/${server.backend_id}/buckets/uploads/quota`, { soft_bytes: 1, hard_bytes: 1 << 20 });
  await until('its bucket is over the soft cap', async () => (await server.api('GET', '/api/quota-alerts')).soft.length > 0, 30_000);
  hook = (await server.api('POST', '/api/webhooks', { url: 'https://192.0.2.1/hook' })).id;
  await until('requests are counted', async () => (await server.api('GET', '/api/overview')).totals.requests > 0, 30_000);
  await server.api('POST', '/api/anonymous-bindings', { backend: server.backend_id, bucket: 'reports', name: 'open-to-all' });
});

/** Opens a dialog by buttons, one after the other. */
const press = (...names) => async (page) => {
  for (const name of names) {
    await page.getByRole('button', { name, exact: true }).first().click();
  }
  await page.getByRole('dialog').last().waitFor();
};

/** Answers a path of the API itself while a page is opened. */
const answering = (path, answer, address) => async (page) => {
  await page.route(path, answer);
  await page.goto(new URL(address, server.url).href);
};
const unavailable = (route) => route.fulfill({
  status: 503, contentType: 'application/json', headers: { 'X-Request-Id': '0198c5a0-0000-7000-8000-000000000001' },
  body: JSON.stringify({ error: { code: 'unavailable', message: 'something this depends on did not answer' }, request_id: '0198c5a0-0000-7000-8000-000000000001' }),
});

/** A backend that warns, which that of a quickstart does not. */
const troubled = (tab, warning) => async (page) => {
  await answering(/\/api\/backends$/, async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    body.items[0].health.tls_unverified = true;
    body.items[0].abilities.find(({ name }) => name === 'stores_only_whole').verdict = 'no';
    await route.fulfill({ response: answer, json: body });
  }, `/admin/backends/${server.backend_id}?tab=${tab}`)(page);
  await page.getByText(warning).waitFor();
};

// Each page, with what is opened on it.
const pages = {
  'usage': ['/admin/usage', async (page) => { await page.getByRole('button', { name: 'Show the numbers' }).click(); }],
  'usage by credential': ['/admin/usage?by=credential&show=requests', async (page) => { await page.getByRole('table', { name: 'Who uses what' }).waitFor(); }],
  'webhooks': ['/admin/webhooks', async (page) => { await page.getByRole('table', { name: 'Webhooks' }).waitFor(); }],
  'add a webhook': ['/admin/webhooks', press('Add webhook')],
  'a webhook': [() => `/admin/webhooks/${hook}`, async (page) => { await page.getByText('Nothing was delivered').waitFor(); }],
  'overview': ['/admin', async (page) => { await page.getByRole('button', { name: 'Show the numbers' }).click(); }],
  'credentials that cannot be read': ['/admin/profile', async (page) => {
    await answering(/\/api\/credentials\b/, unavailable, '/admin/s3-proxy')(page);
    await page.getByRole('alert').waitFor();
  }],
  'revoke keys': ['/admin/s3-proxy', async (page) => {
    await page.getByRole('checkbox', { name: 'Select all rows that are shown' }).check();
    await press('Revoke keys')(page);
  }],
  'buckets that cannot be listed': ['/admin/profile', async (page) => {
    await answering(/\/buckets$/, unavailable, '/admin/s3-proxy')(page);
    await press('Create credential')(page);
    await page.getByText('local does not list its buckets').waitFor();
  }],
  'buckets of a backend': [() => `/admin/backends/${server.backend_id}?tab=buckets`],
  'health of a backend': [() => `/admin/backends/${server.backend_id}?tab=health`],
  'abilities of a backend': [() => `/admin/backends/${server.backend_id}?tab=abilities`],
  'quota of a bucket': [() => `/admin/backends/${server.backend_id}?tab=buckets`, async (page) => {
    await press('Quota of bucket uploads')(page);
    await page.getByRole('dialog').last().getByRole('button', { name: 'Remove quota' }).waitFor();
  }],
  'CORS of a bucket': [() => `/admin/backends/${server.backend_id}?tab=buckets`, async (page) => {
    await press('CORS of bucket uploads')(page);
    await page.getByRole('radio', { name: 'Kept here' }).check();
  }],
  'recorded reads of a bucket': [() => `/admin/backends/${server.backend_id}?tab=buckets`, async (page) => {
    await press('Recorded reads of bucket uploads')(page);
    await page.getByRole('radio', { name: 'All, for 24 hours' }).check();
  }],
  'a backend whose certificate is not verified': ['/admin/profile', troubled('about', 'Its certificate is not verified')],
  'a backend that stores cut uploads': ['/admin/profile', troubled('abilities', 'An upload that is cut off may be stored in part')],
  'create account': ['/admin/accounts', press('Create account')],
  'credentials': ['/admin/s3-proxy'],
  'no credential found': ['/admin/s3-proxy?q=nothing-has-this'],
  'create credential': ['/admin/s3-proxy', async (page) => { await fillCredential(page, { description: 'x', bucket: 'uploads' }); }],
  'faults of create credential': ['/admin/s3-proxy', async (page) => {
    await press('Create credential')(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Create credential' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
  }],
  'the secret': ['/admin/s3-proxy', async (page) => {
    const form = await fillCredential(page, { description: 'for axe', bucket: 'uploads' });
    await form.getByRole('button', { name: 'Create credential' }).click();
    await page.getByRole('dialog', { name: 'Credential created' }).waitFor();
  }],
  'a credential': [() => `/admin/s3-proxy/credentials/${key}`],
  'edit credential': [() => `/admin/s3-proxy/credentials/${key}`, press('Edit credential')],
  'a credential with limits': [() => `/admin/s3-proxy/credentials/${bound}`, async (page) => { await page.getByRole('region', { name: 'Limits of this key' }).waitFor(); }],
  'limits of a credential': [() => `/admin/s3-proxy/credentials/${bound}`, press('Edit credential')],
  'faults of the limits of a credential': [() => `/admin/s3-proxy/credentials/${bound}`, async (page) => {
    await press('Edit credential')(page);
    const form = page.getByRole('dialog').last();
    await field(form, 'Allowance').fill('much');
    await form.getByRole('button', { name: 'Save credential' }).click();
    await form.getByText('A number of bytes, or one with KiB').waitFor();
  }],
  'rotate key': [() => `/admin/s3-proxy/credentials/${key}`, press('Rotate key')],
  'revoke key': [() => `/admin/s3-proxy/credentials/${key}`, press('Revoke key')],
  'a credential that is not there': ['/admin/s3-proxy/credentials/AKIAAAAAAAAAAAAAAAAA'],
  'anonymous bindings': ['/admin/s3-proxy/anonymous'],
  'add anonymous binding': ['/admin/s3-proxy/anonymous', press('Add anonymous binding')],
  'audit': ['/admin/audit'],
  'audit with filters': ['/admin/audit?action=credential.&result=ok'],
  'events by time': ['/admin/audit', async (page) => { await page.getByRole('button', { name: 'Show the numbers' }).click(); }],
  'saved views': ['/admin/audit?result=denied', press('Views')],
  'the chain of the journal': ['/admin/audit', async (page) => {
    await press('Chain')(page);
    await page.getByRole('dialog').getByText('Hash of the last').waitFor();
  }],
  'an event': ['/admin/audit?action=credential.', async (page) => {
    await page.getByRole('table', { name: 'Audit events' }).getByRole('link').first().click();
    await page.getByRole('dialog').getByText('Event id').waitFor();
  }],
  'backends': ['/admin/backends'],
  'add a Ceph': ['/admin/backends', async (page) => {
    await press('Add backend')(page);
    await page.getByRole('radio', { name: 'Ceph RGW' }).check();
  }],
  'a backend': [() => `/admin/backends/${server.backend_id}`],
  'accounts': ['/admin/accounts'],
  'an account': ['/admin/accounts/someone'],
  'projects': ['/projects'],
  'no project found': ['/projects?q=nothing-has-this'],
  'projects that cannot be read': ['/admin/profile', async (page) => {
    await answering(/\/api\/projects$/, unavailable, '/projects')(page);
    await page.getByRole('alert').waitFor();
  }],
  'create project': ['/projects', press('Create project')],
  'a project': [() => `/projects/${project}`],
  'a project that is not there': ['/projects/0198c5a0-0000-4000-8000-000000000001'],
  'add member': [() => `/projects/${project}`, press('Add member')],
  'change role in a project': [() => `/projects/${project}`, press('Change role of someone')],
  'remove member': [() => `/projects/${project}`, press('Remove someone')],
  'rename project': [() => `/projects/${project}`, press('Rename project')],
  'delete project': [() => `/projects/${project}`, press('Delete project')],
  'RGW users': ['/rgw/users'],
  'an RGW user': [() => `/rgw/users/${rgwUser}`],
  'buckets of an RGW user': [() => `/rgw/users/${rgwUser}?tab=buckets`],
  'objects of an RGW user': [() => `/rgw/users/${rgwUser}?tab=buckets&bucket=looked-at-data`],
  'events of an RGW user': [() => `/rgw/users/${rgwUser}?tab=audit`],
  'create RGW user': ['/rgw/users', press('Create RGW user')],
  'renew the key of an RGW user': [() => `/rgw/users/${rgwUser}`, press('Renew key')],
  'lock an RGW user': [() => `/rgw/users/${rgwUser}`, press('Lock user')],
  'quota of an RGW user': [() => `/rgw/users/${rgwUser}`, press('Set quota')],
  'delete an RGW user': [() => `/rgw/users/${rgwUser}`, press('Delete user')],
  'delete an RGW user with its objects': [() => `/rgw/users/${rgwUser}`, async (page) => {
    await press('Delete user')(page);
    await page.getByRole('dialog').last().getByRole('checkbox').check();
  }],
  'a new secret of an RGW user': [() => `/rgw/users/${rgwUser}`, async (page) => {
    await press('Renew key')(page);
    await page.getByRole('dialog').last().getByRole('button', { name: 'Renew key', exact: true }).click();
    await page.getByRole('dialog', { name: 'New secret' }).waitFor();
  }],
  'renewal of an RGW user that is locked': [() => `/rgw/users/${lockedUser}`, async (page) => {
    await press('Renew key')(page);
    await page.getByRole('dialog').last().getByRole('button', { name: 'Renew key', exact: true }).click();
    await page.getByRole('dialog', { name: 'The key was not renewed' }).waitFor();
  }],
  'unlock an RGW user': [() => `/rgw/users/${lockedUser}`, press('Unlock user')],
  'an RGW user that is being deleted': ['/admin/profile', async (page) => {
    await answering(new RegExp(`/rgw/users/${rgwUser}$`), async (route) => {
      if (route.request().resourceType() === 'document') { // the page has the same path
        await route.continue();
        return;
      }
      const answer = await route.fetch();
      const user = await answer.json();
      const job = { id: rgwUser, user_id: rgwUser, state: 'running', objects_deleted: 40, objects_per_second: 8, objects_left: 60, seconds_left: 8, buckets: 2, buckets_left: 1, created_at: user.created_at, updated_at: user.created_at };
      await page.route('**/rgw/jobs/*', (asked) => asked.fulfill({ json: job }));
      await route.fulfill({ response: answer, json: { ...user, state: 'deleting', status: 'disabled', job } });
    }, `/rgw/users/${rgwUser}`)(page);
    await page.getByRole('alert').filter({ hasText: 'It is being deleted' }).waitFor();
  }],
  'own password': ['/admin/profile'],
  'own sessions': ['/admin/profile?tab=sessions'],
  'own tokens': ['/admin/profile?tab=tokens'],
  'create token': ['/admin/profile?tab=tokens', press('Create API token')],
  'shortcuts': ['/admin/profile', async (page) => { await page.keyboard.press('?'); await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor(); }],
  'a page that is not there': ['/admin/nothing-here'],
};

test('sign in', async (t) => {
  const { seen, newPage } = await openContext(t, browser, options);
  const page = await newPage();
  await page.goto(server.url);
  await settled(page);
  await assertSound(page, seen);
});

for (const [what, [path, open]] of Object.entries(pages)) {
  test(what, async (t) => {
    const { page, seen } = await openSignedIn(t, browser, server, options);
    await visit(page, server, typeof path === 'function' ? path() : path);
    await open?.(page);
    await assertSound(page, seen);
  });
}
