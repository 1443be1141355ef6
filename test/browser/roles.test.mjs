// What a user and a readonly account can reach: their own, and nothing else.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { assertQuiet, openSignedIn, startBrowser } from './lib/browser.mjs';
import { visit } from './lib/pages.mjs';
import { newAccount, newCredential, startServer, undoing } from './lib/server.mjs';

const document = JSON.parse(readFileSync(new URL('../../web/openapi.json', import.meta.url), 'utf8'));
// All that is open to who is no admin. Whatever else the document has, now or
// later, is refused.
const own = new Set([
  'getServer', 'signIn', 'getSession', 'signOut', 'changePassword', 'listSessions', 'endAllSessions', 'endSession', 'listTokens', 'createToken',
  'revokeToken', 'listProjects', 'listCredentials', 'getCredential', 'getCredentialTraffic',
  'getUsage', 'exportUsage',
]);
// What is not found by who is not in the project.
const inProjects = new Set(['getProject', 'updateProject', 'deleteProject', 'listMembers', 'addMember', 'updateMember', 'removeMember']);
const ofUsers = new Set(['rotateCredential', 'revokeCredential']);

const undo = undoing(after);
const people = {};
let browser;
let server;
let things; // what the parameters of paths are filled with
let theirs; // the admin's credential
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
  for (const role of ['user', 'readonly']) {
    const name = `a-${role}`;
    const password = await newAccount(server, name, role);
    people[role] = { name, password, key: (await newCredential(server, { owner: name, description: `owned by ${name}` })).access_key_id };
  }
  theirs = (await newCredential(server, { description: 'nobody else sees this' })).access_key_id;
  await server.api('POST', '/api/anonymous-bindings', { backend: server.backend_id, bucket: 'reports', name: 'open-to-all' });
  const event = (await server.api('GET', '/api/audit?limit=1')).items[0].id;
  const tokens = (await server.api('GET', '/api/tokens')).items;
  const project = await server.api('POST', '/api/projects', { name: 'Nobody else’s project' });
  const user = await server.api('POST', '/rgw/users', { user: { name: 'Nobody else’s user', project_id: project.id } });
  const webhook = await server.api('POST', '/api/webhooks', { url: 'https://192.0.2.1/hook' });
  await server.api('PUT', '/api/audit/views/mine', { filter: { result: 'denied' } });
  things = {
    '/api/audit/views/': { view: 'mine' },
    '/api/webhooks/': { webhook: webhook.id },
    '/api/projects/': { id: project.id, account: 'admin' },
    '/rgw/': { user_id: user.id, backend: server.backend_id, bucket: 'nobody-elses', job_id: '0198c5a0-0000-4000-8000-000000000001' },
    '/api/accounts/{name}': { name: 'admin', id: tokens[0].id }, '/api/anonymous-bindings/{name}': { name: 'open-to-all' }, '/api/audit/{id}': { id: event },
    '/api/credentials/': { access_key_id: theirs }, '/api/backends/': { backend: server.backend_id, bucket: 'reports' },
    '/api/sessions/{id}': { id: '0123456789abcdef' }, '/api/tokens/{id}': { id: tokens[0].id },
  };
});

/** The operations of the document, with paths that name real things. */
function operations() {
  return Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item).map(([method, { operationId, requestBody }]) => {
    const [, names] = Object.entries(things).find(([prefix]) => path.startsWith(prefix)) ?? [];
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => {
      assert.ok(names?.[name], `${path}: nothing to fill ${name} with`);
      return encodeURIComponent(names[name]);
    });
    const schema = requestBody?.content['application/json']?.schema;
    return { operationId, method: method.toUpperCase(), path: filled, body: schema && JSON.stringify(sample(schema)) };
  }));
}

/** The smallest body that a schema of the document takes, so that nothing but the role is wrong. */
function sample(schema) {
  if (schema.$ref) {
    return sample(document.components.schemas[schema.$ref.split('/').at(-1)]);
  }
  switch (schema.type) {
    case 'object':
      return Object.fromEntries((schema.required ?? []).map((name) => [name, sample(schema.properties[name])]));
    case 'array':
      return [sample(schema.items)];
    case 'boolean':
      return true;
    case 'number':
    case 'integer':
      return 1;
    default:
      return schema.enum?.[0] ?? schema.examples?.[0] ?? 'something';
  }
}

/** Asks as the dashboard does: from its page, with its cookie and token. */
const ask = (page, { method, path, body }) => page.evaluate(async ([m, p, b]) => {
  const { csrf_token: token } = await (await fetch('/api/session')).json();
  const headers = { 'X-CSRF-Token': token, ...(b === undefined ? {} : { 'Content-Type': 'application/json' }) };
  const response = await fetch(p, { method: m, headers, ...(b === undefined ? {} : { body: b }) });
  return { status: response.status, body: await response.text() };
}, [method, path, body]);

const everything = async () => JSON.stringify(await Promise.all(
  ['/api/accounts', '/api/credentials', '/api/backends/local/buckets', '/api/anonymous-bindings', '/api/projects', '/api/tokens'].map((path) => server.api('GET', path)),
));

for (const role of ['user', 'readonly']) {
  const may = (id) => own.has(id) || (role === 'user' && ofUsers.has(id));

  describe(`a ${role}`, () => {
    test('is refused every operation that is not its own, and changes nothing', async (t) => {
      const { page } = await openSignedIn(t, browser, server, people[role]);
      await visit(page, server, '/admin');
      const before = await everything();
      const refused = operations().filter(({ operationId }) => !may(operationId));
      assert.ok(refused.length >= 25, `the document has ${refused.length} operations for admins`);
      for (const operation of refused) {
        const { status, body: answer } = await ask(page, operation);
        // What the other's project holds is not found; what is malformed besides is refused for that.
        if (operation.path.startsWith('/rgw/')) {
          assert.ok([403, 404, 415, 422].includes(status), `${operation.operationId}: ${status} ${answer}`);
          continue;
        }
        const want = inProjects.has(operation.operationId) ? [404, 'not_found'] : [403, 'denied'];
        assert.deepEqual([status, JSON.parse(answer).error.code], want, `${operation.operationId}: ${status} ${answer}`);
      }
      assert.equal(await everything(), before);
    });

    test('finds no other account’s credential', async (t) => {
      const { page } = await openSignedIn(t, browser, server, people[role]);
      await visit(page, server, '/admin');
      const listed = JSON.parse((await ask(page, { method: 'GET', path: '/api/credentials' })).body);
      assert.deepEqual(listed.items.map((item) => item.access_key_id), [people[role].key]);
      const searched = await ask(page, { method: 'GET', path: '/api/credentials?owner=admin&q=nobody' });
      assert.ok(!searched.body.includes(theirs) && !searched.body.includes('nobody else'), searched.body);
      // What another has and what nobody has cannot be told apart.
      for (const part of ['', '/traffic']) {
        assert.equal((await ask(page, { method: 'GET', path: `/api/credentials/${people[role].key}${part}` })).status, 200);
        const answers = await Promise.all([theirs, 'AKIAAAAAAAAAAAAAAAAA'].map((key) => ask(page, { method: 'GET', path: `/api/credentials/${key}${part}` })));
        assert.deepEqual(answers.map(({ status }) => status), [404, 404]);
        const [other, none] = answers.map(({ body }) => JSON.parse(body).error);
        assert.deepEqual(other, none);
      }
      for (const deed of ['rotate', 'revoke']) {
        assert.equal((await ask(page, { method: 'POST', path: `/api/credentials/${theirs}/${deed}` })).status, role === 'user' ? 404 : 403);
      }
      assert.equal((await server.api('GET', `/api/credentials/${theirs}`)).status, 'active');
    });

    test('sees the pages of its own only', async (t) => {
      const { page, seen } = await openSignedIn(t, browser, server, people[role]);
      await visit(page, server, '/admin');
      const links = page.getByRole('navigation', { name: 'Pages' }).getByRole('link');
      assert.deepEqual((await links.allInnerTexts()).map((text) => text.trim()), ['Credentials', 'RGW users', 'Usage', 'Projects']);
      const table = page.getByRole('table', { name: 'Credentials' });
      await table.getByText(`owned by ${people[role].name}`).waitFor();
      assert.equal(await table.locator('tbody tr').count(), 1);
      for (const name of ['Create credential', 'Disable', 'Anonymous bindings']) {
        assert.equal(await page.getByRole('button', { name }).or(page.getByRole('tab', { name })).count(), 0, name);
      }
      await visit(page, server, `/admin/s3-proxy/credentials/${people[role].key}`);
      const drawer = page.getByRole('dialog');
      await drawer.getByText(`owned by ${people[role].name}`).waitFor();
      assert.equal(await drawer.getByRole('button', { name: 'Revoke key' }).count(), role === 'user' ? 1 : 0);
      assert.equal(await drawer.getByRole('button', { name: 'Rotate key' }).count(), role === 'user' ? 1 : 0);
      assert.equal(await drawer.getByRole('button', { name: /Edit|Disable/ }).count(), 0);
      assertQuiet(seen);
    });

    test('is in no project, and finds no other’s', async (t) => {
      const { page, seen } = await openSignedIn(t, browser, server, people[role]);
      await visit(page, server, '/projects');
      await page.getByText('You are in no project').waitFor();
      await visit(page, server, `/projects/${things['/api/projects/'].id}`);
      await page.getByRole('alert').getByText('The project could not be read').waitFor();
      assert.ok(!(await page.content()).includes('Nobody else’s project'));
      assertQuiet(seen);
    });

    for (const path of ['audit', 'backends', 'accounts', 's3-proxy/anonymous']) {
      test(`is shown nothing at /admin/${path}`, async (t) => {
        const { page, seen } = await openSignedIn(t, browser, server, people[role]);
        await visit(page, server, `/admin/${path}`);
        const text = await page.locator('main').innerText();
        for (const secretive of [theirs, 'nobody else sees this', 'open-to-all', 'credential.create', 'a-user', 'a-readonly'].filter((word) => word !== people[role].name)) {
          assert.ok(!text.includes(secretive), `${secretive} in:\n${text}`);
        }
        assert.match(text, /no such page|administrator|may not|not allowed/i);
        assert.equal(await page.locator('main').getByRole('button', { name: /^(Create|Add|Remove|Delete|Disable)/ }).count(), 0);
        assertQuiet(seen);
      });
    }

    test('is told when a link leads to another’s credential', async (t) => {
      const { page } = await openSignedIn(t, browser, server, people[role]);
      await visit(page, server, `/admin/s3-proxy/credentials/${theirs}`);
      await page.getByRole('alert').getByText('This credential could not be read').waitFor();
      assert.ok(!(await page.content()).includes('nobody else sees this'));
    });
  });
}
