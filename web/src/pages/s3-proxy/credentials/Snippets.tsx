import { Group, Stack, Tabs, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { serverQuery } from '../../../api/session';
import { CopyButton } from '../../../components/CopyButton';
import { listable, type Snippet, snippets } from '../../../snippets';
import type { Credential } from './actions';
import classes from './SecretOnce.module.css';

/** Stands where the secret belongs, which nobody can show again. */
const placeholder = 'SECRET_ACCESS_KEY';

/** How the key is used, with all but its secret filled in. */
export function UseIt({ credential }: { credential: Credential }) {
  const { data: server } = useQuery(serverQuery);
  if (!server || credential.status !== 'active') {
    return null;
  }
  const filling = {
    accessKeyId: credential.access_key_id, secretAccessKey: placeholder, endpoint: server.s3_endpoint, region: server.region, ...listable(credential.grants),
  };
  return (
    <Stack gap="xs" component="section" aria-label="Use it">
      <Title order={3} size="h5">Use it</Title>
      <Text c="dimmed" size="xs">Put the secret in the place of <code>{placeholder}</code>. It was shown once; a lost one is replaced by rotating the key.</Text>
      <Snippets all={snippets(filling)} />
    </Stack>
  );
}

/** One tab for each client. */
export function Snippets({ all }: { all: readonly Snippet[] }) {
  return (
    <Tabs defaultValue={all[0]?.id ?? null} keepMounted={false}>
      <Tabs.List aria-label="Ready to paste for">
        {all.map(({ id, label }) => <Tabs.Tab key={id} value={id} px="xs">{label}</Tabs.Tab>)}
      </Tabs.List>
      {all.map(({ id, hint, text }) => (
        <Tabs.Panel key={id} value={id}>
          <Group justify="space-between" gap="xs" my="xs">
            <Text c="dimmed" size="xs">{hint}</Text>
            <CopyButton words text={text} what="snippet" />
          </Group>
          {/* Long lines scroll; the keyboard needs to reach them. */}
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
          <pre className={classes.snippet} tabIndex={0} aria-label="Snippet">{text}</pre>
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
