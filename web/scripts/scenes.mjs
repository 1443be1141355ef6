// What is looked at. A scene has a name, an address and what is done there; its
// picture is taken then.

const scope = (backend, bucket, permissions, more = {}) => ({ backend, bucket, permissions, ...more });

/** Puts something to look at into a new server. */
export async function seed({ ready, call }) {
  const backend = ready.backend_id;
  await call('POST', '/api/accounts', { name: 'maria.lindqvist', role: 'user' });
  await call('POST', '/api/accounts', { name: 'auditor', role: 'readonly' });
  const made = [];
  for (const body of [
    { description: 'Nightly backup of the wiki', grants: [scope(backend, 'uploads', ['read', 'list', 'write', 'delete'], { prefix: 'wiki/' })], expires_in: '90d', owner: 'maria.lindqvist' },
    { description: 'Report viewer', grants: [scope(backend, 'reports', ['read', 'list'])] },
    { description: 'CI artefacts', grants: [scope(backend, 'uploads', ['write'], { prefix: 'ci/' }), scope(backend, 'reports', ['read'], { alias: 'published' }), scope(backend, 'archive', ['read', 'list'])], expires_in: '24h' },
    { description: 'Old importer, to be removed once the move to the new cluster is through and nobody has complained for a month', grants: [scope(backend, 'uploads', ['read', 'list'], { prefix: 'a/very/long/prefix/that/goes/on/and/on/because/someone/liked/deep/trees/2026/11/' })] },
    { description: '<script>alert(1)</script> "quoted" & ümlaut', grants: [scope(backend, 'reports', ['read'])] },
    { description: 'Lost laptop', grants: [scope(backend, 'reports', ['read', 'list'])] },
  ]) {
    made.push((await call('POST', '/api/credentials', body)).access_key_id);
  }
  const [backup, , , old, , lost] = made;
  await call('POST', `/api/credentials/${backup}/rotate`, { overlap: '24h' });
  await call('POST', `/api/credentials/${old}/disable`);
  await call('POST', `/api/credentials/${lost}/revoke`);
  await call('POST', '/api/anonymous-bindings', { backend, bucket: 'reports', prefix: 'public/', name: 'press', mode: 'read-list', rate_per_second: 20 });
  await call('POST', '/api/anonymous-bindings', { backend, bucket: 'uploads', prefix: 'downloads/' });
  return { backend, backup, made };
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
    name: 'credentials-loading', path: '/', act: async (page) => {
      await page.route(/\/api\/credentials(\?|$)/, () => {});
      await page.goto('/admin/s3-proxy');
      await page.getByText('Loading').first().waitFor({ state: 'attached' });
    }, leave: (page) => page.unrouteAll({ behavior: 'ignoreErrors' }),
  },
  {
    name: 'credentials-error', path: '/', act: async (page) => {
      await page.route(/\/api\/credentials(\?|$)/, (route) => route.fulfill({
        status: 503, headers: { 'X-Request-Id': '0198c5a0-0000-7000-8000-000000000001' }, contentType: 'application/json',
        body: JSON.stringify({ error: { code: 'unavailable', message: 'something this depends on did not answer' }, request_id: '0198c5a0-0000-7000-8000-000000000001' }),
      }));
      await page.goto('/admin/s3-proxy');
      await page.getByRole('alert').waitFor();
    }, leave: (page) => page.unrouteAll({ behavior: 'ignoreErrors' }),
  },
  { name: 'drawer', path: ({ backup }) => `/admin/s3-proxy/credentials/${backup}` },
  { name: 'drawer-missing', path: '/admin/s3-proxy/credentials/AKIAAAAAAAAAAAAAAAAA' },
  {
    name: 'revoke', path: ({ backup }) => `/admin/s3-proxy/credentials/${backup}`,
    act: (page) => page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click(),
  },
  {
    name: 'edit', path: ({ made }) => `/admin/s3-proxy/credentials/${made[2]}`,
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
];
