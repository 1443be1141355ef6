import { Alert, Button, Group, Stack, Text } from '@mantine/core';

import { CopyButton } from '../../../components/CopyButton';
import { Dialog } from '../../../components/Dialog';
import { IconDownload, IconWarning } from '../../../components/icons';
import { useKeepOpen } from '../../../components/useKeepOpen';
import { type Download, downloads, type Filling, listable, snippets } from '../../../snippets';
import type { CredentialWithSecret } from './actions';
import classes from './SecretOnce.module.css';
import { Snippets } from './Snippets';

interface SecretOnceProps {
  title: string;
  credential: CredentialWithSecret;
  /** The reader has saved it: drop it. */
  onClose: () => void;
}

/** Shows the secret of a credential. */
export function SecretOnce({ title, credential, onClose }: SecretOnceProps) {
  const filling: Filling = {
    accessKeyId: credential.access_key_id,
    secretAccessKey: credential.secret_access_key,
    endpoint: credential.s3_endpoint,
    region: credential.region,
    ...listable(credential.grants),
  };
  return <KeyOnce title={title} filling={filling} replacedBy="rotating the key" onClose={onClose} />;
}

interface KeyOnceProps {
  title: string;
  filling: Filling;
  /** What replaces a lost secret. */
  replacedBy: string;
  /** The reader has saved it: drop it. */
  onClose: () => void;
}

/**
 * Shows a secret, with what is needed to use it. Only its button closes it. The
 * caller holds the secret in its state, and nowhere else.
 */
export function KeyOnce({ title, filling, replacedBy, onClose }: KeyOnceProps) {
  useKeepOpen();
  return (
    <Dialog title={title} width={760} held onClose={onClose}>
      <Stack gap="md">
        <Alert color="warn" variant="outline" icon={<IconWarning />}>
          The secret is shown this once. Reloading or leaving the page does not bring it back; a lost one is replaced by {replacedBy}.
        </Alert>
        <KeyPart name="Access key id" value={filling.accessKeyId} />
        <KeyPart name="Secret access key" value={filling.secretAccessKey} />
        <Group gap="xs">
          {downloads(filling).map((file) => (
            <Button key={file.name} variant="default" leftSection={<IconDownload />} onClick={() => save(file)}>
              Download {file.label}
            </Button>
          ))}
        </Group>
        <Snippets all={snippets(filling)} />
        <Group justify="flex-end">
          <Button size="sm" onClick={onClose}>I have saved it</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

function KeyPart({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <Text c="dimmed" size="xs">{name}</Text>
      <Group gap="xs" justify="space-between" className={classes.part}>
        <code className={classes.large} data-testid={name}>{value}</code>
        <CopyButton words text={value} what={name.toLowerCase()} />
      </Group>
    </div>
  );
}

/** Hands a file to the browser. Its address is dropped at once. */
function save({ name, text }: Download): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
