// What is looked at. A scene has a name, an address and what is done there; its
// picture is taken then. Most are an administrator's, some of another account.
import { execFileSync } from 'node:child_process';

import { answerLikeADay, fail, hang } from './answers.mjs';

const scope = (backend, bucket, permissions, more = {}) => ({ backend, bucket, permissions, ...more });

/** The pictures of the documentation. */
export const documented = [
  'overview-1280-light', 'credentials-1280-light', 'create-1280-light', 'secret-1280-light', 'drawer-1280-dark', 'revoke-390-light', 'audit-1280-dark',
  'backend-health-1280-light', 'credentials-390-dark',
];

const all = ['read', 'list', 'write', 'delete'];

/** Puts something to look at into a new server; odd are texts that are long, or that try to be more than texts. */
export async function seed({ ready, call }, { odd }) {
  const backend = ready.backend_id;
  const people = {};
  for (const [who, name, role] of [['maria', 'maria.lindqvist', 'user'], ['auditor', 'auditor', 'readonly']]) {
    people[who] = { username: name, password: (await call('POST', '/api/accounts', { name, role })).password };
  }
  const mint = (description, grants, more = {}) => call('POST', '/api/credentials', { description, grants, ...more });
  const lost = await mint('Lost laptop', [scope(backend, 'reports', ['read', 'list'])]);
  const old = await mint(
    odd ? 'Old importer, to be removed once the move to the new cluster is through and nobody has complained for a month' : 'Old importer',
    [scope(backend, 'uploads', ['read', 'list'], { prefix: odd ? 'a/very/long/prefix/that/goes/on/and/on/because/someone/liked/deep/trees/2026/11/' : 'import/' })],
  );
  if (odd) {
    await mint('<script>alert(1)</script> "quoted" & ümlaut', [scope(backend, 'reports', ['read'])]);
  }
  const ci = await mint('CI artefacts', [
    scope(backend, 'uploads', ['write'], { prefix: 'ci/' }), scope(backend, 'reports', ['read'], { alias: 'published' }), scope(backend, 'archive', ['read', 'list']),
  ], { expires_in: '24h', quota: { allowance_bytes: 2 ** 30, allowance_per: 'day' } });
  const viewer = await mint('Report viewer', [scope(backend, 'reports', ['read', 'list'])]);
  const backup = await mint('Nightly backup of the wiki', [scope(backend, 'uploads', all, { prefix: 'wiki/' })], { expires_in: '90d', owner: 'maria.lindqvist' });
  useKeys(ready.s3_endpoint, [backup, viewer]);
  await call('POST', `/api/credentials/${backup.access_key_id}/rotate`, { overlap: '24h' });
  await call('POST', `/api/credentials/${old.access_key_id}/disable`);
  await call('POST', `/api/credentials/${lost.access_key_id}/revoke`);
  await call('POST', '/api/anonymous-bindings', { backend, bucket: 'reports', prefix: 'public/', name: 'press', mode: 'read-list', rate_per_second: 20 });
  await call('POST', '/api/anonymous-bindings', { backend, bucket: 'uploads', prefix: 'downloads/' });
  if (odd) {
    await call('POST', '/api/backends', {
      id: 'ceph-old', endpoint: 'http://127.0.0.1:9', region: 'us-east-1', path_style: true, access_key_id: 'GATEWAY', secret_access_key: 'not a secret',
    });
  }
  const project = await call('POST', '/api/projects', { name: 'Data platform', owner: 'maria.lindqvist' });
  await call('POST', `/api/projects/${project.id}/members`, { account: 'auditor', role: 'owner' });
  await call('POST', `/api/projects/${project.id}/members`, { account: 'admin', role: 'member', permissions: ['rgw:write'] });
  await call('POST', '/api/projects', { name: odd ? 'AverylongnamewithoutasinglespaceinitwhichsomebodyreallychosefoI' : 'Web' });
  // Counters are brought into the store every few seconds.
  while ((await call('GET', `/api/credentials/${backup.access_key_id}`)).last_used_at === undefined || (await call('GET', '/api/overview')).totals.requests === 0) {
    await new Promise((resolve) => { setTimeout(resolve, 500); });
  }
  await call('PUT', `/api/backends/${backend}/buckets/uploads/quota`, { hard_bytes: odd ? 10 : 2 ** 20 });
  const { id: rgwUser } = await call('POST', '/rgw/users', { user: { name: 'my-app-storage', project_id: project.id, backend_id: backend } });
  await call('POST', `/rgw/users/${rgwUser}/buckets`, { name: 'my-app-data' });
  await call('PATCH', `/rgw/users/${rgwUser}`, { locked: true, lock_reason: 'the audit of November' });
  const webhook = await addWebhooks(call, odd);
  return { people, backend, rgwUser, webhook, project: project.id, backup: backup.access_key_id, ci: ci.access_key_id, events: (await call('GET', '/api/audit?action=s3.proxy.putobject&limit=1')).items };
}

/** Two that are told of quotas; the first was tried, in vain: nobody listens there. */
async function addWebhooks(call, odd) {
  const { id } = await call('POST', '/api/webhooks', { url: 'http://127.0.0.1:9/keystile', description: 'The team on call' });
  const path = odd ? '/a/very/long/path/that/somebody/thought/would/be/a/good/idea/for/the/receiver/of/these/calls' : '/keystile';
  await call('POST', '/api/webhooks', { url: `https://192.0.2.1${path}`, events: ['quota.hard_refused'] });
  await call('POST', `/api/webhooks/${id}/test`);
  return id;
}

/** Puts, gets and is refused, so that there is something to count and to audit. */
function useKeys(endpoint, [backup, viewer]) {
  const curl = ({ access_key_id: id, secret_access_key: secret }, path, ...more) => execFileSync('curl', [
    '-sS', '-o', '/dev/null', '--aws-sigv4', 'aws:amz:us-east-1:s3', '-K', '-', '-H', 'x-amz-content-sha256: UNSIGNED-PAYLOAD', ...more, endpoint + path,
  ], { input: `user = "${id}:${secret}"\n` });
  for (const name of ['pages', 'attachments', 'index']) {
    curl(backup, `/uploads/wiki/2026-11-25/${name}.tar.zst`, '-X', 'PUT', '--data-binary', `${name} `.repeat(2000), '-A', 'restic/0.18.1');
  }
  curl(backup, '/uploads/wiki/2026-11-25/index.tar.zst');
  curl(viewer, '/reports/');
  curl(viewer, '/uploads/wiki/2026-11-25/index.tar.zst');
  curl(viewer, '/reports/2026/summary.csv', '-X', 'DELETE');
}

async function fillCredential(page, { backend }) {
  await page.getByRole('button', { name: 'Create credential' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Description').fill('Photo import');
  await dialog.getByPlaceholder('Choose a bucket').click();
  await page.getByRole('option', { name: 'reports' }).first().click();
  await dialog.getByText('Write', { exact: true }).click();
  await dialog.getByLabel('Prefix').fill('2026');
  return { dialog, backend };
}

export const scenes = [
  { name: 'sign-in', path: '/', stranger: true },
  { name: 'credentials', path: '/admin/s3-proxy' },
  {
    name: 'credentials-selected', path: '/admin/s3-proxy', act: async (page) => {
      const boxes = page.getByRole('checkbox', { name: /^Select AKIA/, disabled: false });
      await boxes.nth(0).check();
      await boxes.nth(1).check();
    },
  },
  { name: 'credentials-none', path: '/admin/s3-proxy?q=nothing&owner=auditor' },
  {
    name: 'credentials-bulk-revoke', path: '/admin/s3-proxy', act: async (page) => {
      const boxes = page.getByRole('checkbox', { name: /^Select AKIA/, disabled: false });
      await boxes.nth(1).check();
      await boxes.nth(3).check();
      await page.getByRole('button', { name: 'Revoke keys' }).click();
      await page.getByText('Together').waitFor();
    },
  },
  hang('credentials-loading', /\/api\/credentials(\?|$)/, '/admin/s3-proxy'),
  fail('credentials-error', /\/api\/credentials(\?|$)/, '/admin/s3-proxy'),
  { name: 'drawer', path: ({ backup }) => `/admin/s3-proxy/credentials/${backup}` },
  { name: 'drawer-missing', path: '/admin/s3-proxy/credentials/AKIAAAAAAAAAAAAAAAAA' },
  {
    name: 'revoke', path: ({ backup }) => `/admin/s3-proxy/credentials/${backup}`,
    act: (page) => page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click(),
  },
  {
    name: 'edit', path: ({ ci }) => `/admin/s3-proxy/credentials/${ci}`,
    act: (page) => page.getByRole('button', { name: 'Edit credential' }).click(),
  },
  {
    name: 'rotate', path: ({ backup }) => `/admin/s3-proxy/credentials/${backup}`,
    act: (page) => page.getByRole('button', { name: 'Rotate key' }).click(),
  },
  { name: 'create', path: '/admin/s3-proxy', act: fillCredential },
  {
    name: 'create-faults', path: '/admin/s3-proxy', act: async (page, seeded) => {
      const { dialog } = await fillCredential(page, seeded);
      await dialog.getByLabel('Description').fill('');
      await dialog.getByLabel('Alias').fill('NO');
      await dialog.getByRole('button', { name: 'Add bucket' }).click();
      await dialog.getByRole('button', { name: 'Create credential' }).click();
      await dialog.getByText('Must not be empty').waitFor();
      await dialog.getByLabel('Description').scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'secret', path: '/admin/s3-proxy', act: async (page, seeded) => {
      const { dialog } = await fillCredential(page, seeded);
      await dialog.getByRole('button', { name: 'Create credential' }).click();
      await page.getByText('Secret access key', { exact: true }).waitFor();
    }, leave: async (page) => {
      await page.getByRole('button', { name: 'I have saved it' }).click();
    },
  },
  { name: 'anonymous', path: '/admin/s3-proxy/anonymous' },
  {
    name: 'anonymous-add', path: '/admin/s3-proxy/anonymous',
    act: (page) => page.getByRole('button', { name: 'Add anonymous binding' }).click(),
  },
  { name: 'password', path: '/admin/profile' },
  { name: 'sessions', path: '/admin/profile?tab=sessions' },
  { name: 'tokens', path: '/admin/profile?tab=tokens' },
  { name: 'missing', path: '/admin/nowhere' },
  {
    name: 'account-menu', path: '/admin/s3-proxy',
    act: (page) => page.getByRole('button', { name: /^Account/ }).click(),
  },
  { name: 'shortcuts', path: '/admin/s3-proxy', act: (page) => page.keyboard.press('Shift+?') },
  { name: 'search', path: '/admin/s3-proxy', act: async (page) => {
    await page.keyboard.press('/');
    await page.keyboard.type('re');
    await page.getByRole('option').first().waitFor();
  } },
  { name: 'overview', path: '/', ...answerLikeADay('/admin') },
  { name: 'overview-numbers', path: '/', ...answerLikeADay('/admin', (page) => page.getByRole('button', { name: 'Show the numbers' }).click()) },
  { name: 'overview-now', path: '/admin' },
  hang('overview-loading', /\/api\/overview/, '/admin'),
  fail('overview-error', /\/api\/overview/, '/admin'),
  { name: 'audit', path: '/admin/audit' },
  { name: 'audit-filtered', path: '/admin/audit?action=s3.proxy.&result=denied&since=24h' },
  { name: 'audit-none', path: '/admin/audit?action=s3.proxy.&bucket=nothing-like-this' },
  hang('audit-loading', /\/api\/audit\?/, '/admin/audit'),
  fail('audit-error', /\/api\/audit\?/, '/admin/audit'),
  { name: 'audit-event', path: ({ events }) => `/admin/audit/${events[0].id}` },
  { name: 'backends', path: '/admin/backends' },
  { name: 'backend', path: ({ backend }) => `/admin/backends/${backend}` },
  { name: 'backend-down', path: '/admin/backends/ceph-old?tab=buckets' },
  { name: 'backend-buckets', path: ({ backend }) => `/admin/backends/${backend}?tab=buckets` },
  { name: 'backend-health', path: '/', ...answerLikeADay('/admin/backends/local?tab=health') },
  {
    name: 'backend-test', path: '/admin/backends/ceph-old?tab=test', act: async (page) => {
      await page.getByRole('button', { name: 'Test backend' }).click();
      await page.getByRole('button', { name: 'Test backend again' }).waitFor();
    },
  },
  { name: 'backend-add', path: '/admin/backends', act: (page) => page.getByRole('button', { name: 'Add backend' }).click() },
  {
    name: 'bucket-delete', path: ({ backend }) => `/admin/backends/${backend}?tab=buckets`,
    act: async (page) => {
      await page.getByRole('button', { name: 'Delete bucket reports' }).click();
      await page.getByText('live credential').waitFor();
    },
  },
  hang('backends-loading', /\/api\/backends$/, '/admin/backends'),
  fail('backends-error', /\/api\/backends$/, '/admin/backends'),
  { name: 'accounts', path: '/admin/accounts' },
  hang('accounts-loading', /\/api\/accounts$/, '/admin/accounts'),
  fail('accounts-error', /\/api\/accounts$/, '/admin/accounts'),
  fail('anonymous-error', /\/api\/anonymous-bindings$/, '/admin/s3-proxy/anonymous'),
  { name: 'user-credentials', as: 'maria', path: '/admin' },
  { name: 'user-drawer', as: 'maria', path: ({ backup }) => `/admin/s3-proxy/credentials/${backup}` },
  { name: 'user-elsewhere', as: 'maria', path: '/admin/audit' },
  { name: 'readonly-credentials', as: 'auditor', path: '/admin' },
  { name: 'rgw-users', path: '/rgw/users' },
  hang('rgw-users-loading', /\/rgw\/users\?name/, '/rgw/users?q=x'),
  fail('rgw-users-error', /\/rgw\/users\?name/, '/rgw/users?q=x'),
  { name: 'rgw-user', path: ({ rgwUser }) => `/rgw/users/${rgwUser}` },
  { name: 'rgw-user-buckets', path: ({ rgwUser }) => `/rgw/users/${rgwUser}?tab=buckets` },
  { name: 'rgw-user-access', path: ({ rgwUser }) => `/rgw/users/${rgwUser}?tab=buckets`, act: (page) => page.getByRole('button', { name: /^Access to/ }).click() },
  { name: 'rgw-user-objects', path: ({ rgwUser }) => `/rgw/users/${rgwUser}?tab=buckets&bucket=my-app-data` },
  { name: 'rgw-user-events', path: ({ rgwUser }) => `/rgw/users/${rgwUser}?tab=audit` },
  { name: 'rgw-user-delete', path: ({ rgwUser }) => `/rgw/users/${rgwUser}`, act: (page) => page.getByRole('button', { name: 'Delete user' }).click() },
  {
    name: 'rgw-user-adopt', path: '/rgw/users', act: async (page) => {
      await page.route('**/api/backends', async (route) => {
        const answer = await (await route.fetch()).json();
        await route.fulfill({ json: { ...answer, items: [...answer.items, { ...answer.items[0], id: 'ceph-1', kind: 'ceph-rgw' }] } });
      });
      await page.route('**/rgw/backends/ceph-1/users*', (route) => route.fulfill({ json: { items: [{ uid: 'backup' }, { uid: 'legacy-app' }] } }));
      await page.reload();
      await page.waitForLoadState('networkidle');
      await page.getByRole('button', { name: 'Adopt RGW user' }).click();
      await page.getByRole('dialog').getByLabel('Uid').first().fill('leg');
      await page.getByRole('option', { name: 'legacy-app' }).waitFor();
    },
  },
  { name: 'usage', path: '/admin/usage' },
  { name: 'usage-credentials', path: '/admin/usage?by=credential&show=requests&sort=-in' },
  { name: 'user-usage', as: 'maria', path: '/admin/usage' },
  { name: 'webhooks', path: '/admin/webhooks' },
  { name: 'webhook', path: ({ webhook }) => `/admin/webhooks/${webhook}` },
  { name: 'webhook-add', path: '/admin/webhooks', act: (page) => page.getByRole('button', { name: 'Add webhook' }).click() },
  { name: 'rgw-user-renew', path: ({ rgwUser }) => `/rgw/users/${rgwUser}`, act: (page) => page.getByRole('button', { name: 'Renew key' }).click() },
  { name: 'projects', path: '/projects' },
  { name: 'projects-none', path: '/projects?q=nothing' },
  hang('projects-loading', /\/api\/projects$/, '/projects'),
  fail('projects-error', /\/api\/projects$/, '/projects'),
  { name: 'project', path: ({ project }) => `/projects/${project}` },
  { name: 'project-missing', path: '/projects/0198c5a0-0000-4000-8000-000000000001' },
  { name: 'project-create', path: '/projects', act: (page) => page.getByRole('button', { name: 'Create project' }).click() },
  { name: 'project-add-member', path: ({ project }) => `/projects/${project}`, act: (page) => page.getByRole('button', { name: 'Add member' }).click() },
  { name: 'project-remove-member', path: ({ project }) => `/projects/${project}`, act: (page) => page.getByRole('button', { name: 'Remove auditor' }).click() },
  { name: 'user-projects', as: 'maria', path: '/projects' },
  { name: 'readonly-project', as: 'auditor', path: ({ project }) => `/projects/${project}` },
  { name: 'account', path: '/admin/accounts/maria.lindqvist' },
  { name: 'account-create', path: '/admin/accounts', act: (page) => page.getByRole('button', { name: 'Create account' }).click() },
  { name: 'account-disable', path: '/admin/accounts/maria.lindqvist', act: (page) => page.getByRole('button', { name: 'Disable account' }).click() },
];
