// What people do to projects in the page, and what it means for their members.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertQuiet, openSignedIn, startBrowser } from './lib/browser.mjs';
import { assertText, field, place, visit } from './lib/pages.mjs';
import { apiWith, newAccount, request, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
});

const open = async (t, path, who) => {
  const opened = await openSignedIn(t, browser, server, who);
  await visit(opened.page, server, path);
  return opened;
};

/** A project with its owner, who is a person. */
async function newProject(name, owner) {
  const password = await newAccount(server, owner, 'user');
  const { id } = await server.api('POST', '/api/projects', { name, owner });
  return { id, path: `/projects/${id}`, owner: { name: owner, password } };
}

const members = (page) => page.getByRole('table', { name: 'Members' });

/** Presses a button of the drawer, and the one that answers its question. */
async function act(page, button, confirm) {
  await page.getByRole('button', { name: button, exact: true }).click();
  const question = page.getByRole('dialog').last();
  await question.getByRole('button', { name: confirm, exact: true }).click();
  return question;
}

test('an admin makes a project for an owner, by keyboard', async (t) => {
  await newAccount(server, 'olga', 'user');
  const { page, seen } = await open(t, '/projects');
  await page.getByText('There is no project.').waitFor();
  await page.getByRole('button', { name: 'Create project' }).first().focus();
  await page.keyboard.press('Enter');
  const form = page.getByRole('dialog', { name: 'Create project' });
  await form.waitFor();
  await page.keyboard.type('Data platform');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('olga');
  await page.keyboard.press('Escape'); // the list of accounts, not the form
  assert.equal(await field(form, 'Owner').inputValue(), 'olga');
  await page.keyboard.press('Enter');
  await page.getByText('Project Data platform created.').waitFor();
  assert.match(place(page), /^\/projects\/[0-9a-f-]{36}$/);
  await assertText(members(page), /olga ?Owner/);
  await page.keyboard.press('Escape');
  await assertText(page.getByRole('table', { name: 'Projects' }), /Data platform ?olga ?1 ?Administer/);
  assertQuiet(seen);
});

test('a name that is taken is said so, at once and in any case', async (t) => {
  await newProject('Taken', 'tom');
  const { page } = await open(t, '/projects');
  await page.getByRole('button', { name: 'Create project' }).first().click();
  const form = page.getByRole('dialog', { name: 'Create project' });
  await field(form, 'Name').fill('TAKEN');
  await form.getByRole('button', { name: 'Create project' }).click();
  await form.getByRole('alert').getByText('There is a project TAKEN already').waitFor();
  await field(form, 'Name').fill(' blank before');
  await form.getByRole('button', { name: 'Create project' }).click();
  await form.getByText('Must not begin or end with a blank').waitFor();
});

test('an owner adds, changes and removes members, and a member sees what it means', async (t) => {
  const project = await newProject('Lake', 'lena');
  const mark = { name: 'mark', password: await newAccount(server, 'mark', 'user') };
  const { page, seen } = await open(t, project.path, project.owner);
  await page.getByRole('button', { name: 'Add member' }).click();
  const form = page.getByRole('dialog', { name: 'Add a member to Lake' });
  await field(form, 'Account').fill('nobody-here');
  await form.getByRole('button', { name: 'Add member' }).click();
  await form.getByText('There is no such account').waitFor();
  await field(form, 'Account').fill('mark');
  await form.getByRole('radio', { name: 'Member who may write' }).check();
  await form.getByRole('button', { name: 'Add member' }).click();
  await page.getByText('mark added to Lake.').waitFor();
  await assertText(members(page), /mark ?Member who may write/);

  const own = await open(t, project.path, mark);
  await assertText(own.page.getByRole('dialog'), /You may See and change/);
  assert.equal(await own.page.getByRole('dialog').getByRole('button', { name: /Add|Remove|Change|Rename|Delete/ }).count(), 0);

  await page.getByRole('button', { name: 'Change role of mark' }).click();
  await page.getByRole('radio', { name: 'Owner' }).check();
  await page.getByRole('dialog').last().getByRole('button', { name: 'Change role' }).click();
  await page.getByText('mark is now owner of Lake.').waitFor();
  await visit(own.page, server, project.path);
  await own.page.getByRole('button', { name: 'Rename project' }).waitFor();

  await act(page, 'Remove mark', 'Remove member');
  await page.getByText('mark removed from Lake.').waitFor();
  await visit(own.page, server, project.path);
  await own.page.getByRole('alert').getByText('The project could not be read').waitFor();
  assertQuiet(seen);
});

test('the last owner stays, and the page says why', async (t) => {
  const project = await newProject('Alone', 'lara');
  const { page } = await open(t, project.path, project.owner);
  const question = await act(page, 'Remove lara', 'Remove member');
  await question.getByRole('alert').getByText('s last owner is lara').waitFor();
});

test('a token of a project is made in the page, is good there alone and dies with the membership', async (t) => {
  const project = await newProject('Machines', 'mia');
  const other = await server.api('POST', '/api/projects', { name: 'Elsewhere', owner: 'mia' });
  await server.api('POST', `${project.path.replace('/projects', '/api/projects')}/members`, { account: 'admin', role: 'owner' });
  const { page } = await open(t, '/admin/profile?tab=tokens', project.owner);
  await page.getByRole('button', { name: 'Create API token' }).first().click();
  const form = page.getByRole('dialog', { name: 'Create API token' });
  await field(form, 'Name').fill('ci');
  await form.getByRole('combobox', { name: 'Good for' }).click();
  await page.getByRole('option', { name: 'Project Machines' }).click();
  await form.getByRole('button', { name: 'Create API token' }).click();
  const shown = page.getByRole('dialog', { name: 'Save this token now' });
  const token = (await shown.locator('pre, code').first().innerText()).trim();
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  await assertText(page.getByRole('table', { name: 'API tokens' }), /ci ?active ?project Machines/);
  const status = async (path) => (await request(server.url, { Authorization: `Bearer ${token}` }, 'GET', path)).status;
  const api = project.path.replace('/projects', '/api/projects');
  assert.deepEqual([await status(api), await status(`/api/projects/${other.id}`), await status('/api/credentials')], [200, 404, 403]);
  await server.api('DELETE', `${api}/members/mia`);
  assert.equal(await status(api), 401);
});

test('a project is deleted with its tokens, after it was said what ends', async (t) => {
  const project = await newProject('Old', 'otto');
  const api = project.path.replace('/projects', '/api/projects');
  const { token } = await server.api('POST', '/api/tokens', { name: 'bound', project_id: project.id });
  const { page } = await open(t, project.path);
  await page.getByRole('button', { name: 'Delete project' }).click();
  const question = page.getByRole('dialog', { name: 'Delete project Old?' });
  await question.getByText('API tokens that are bound to it are revoked').waitFor();
  await question.getByRole('button', { name: 'Delete project' }).click();
  await page.getByText('Project Old deleted.').waitFor();
  assert.equal(place(page), '/projects');
  assert.equal((await request(server.url, { Authorization: `Bearer ${token}` }, 'GET', api)).status, 401);
  await assert.rejects(apiWith(server.url, { Authorization: `Bearer ${server.api_token}` })('GET', api), /404/);
});
