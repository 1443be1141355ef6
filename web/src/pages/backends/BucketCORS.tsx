import { Button, Group, Radio, Stack, Text, Textarea } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';

import { bucketCORSQuery } from '../../api/buckets';
import { api, type Schemas, send } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { useAction } from '../../components/useAction';
import { exampleRules, readRules, rulesText } from './cors';

interface BucketCORSProps {
  backend: string;
  bucket: string;
  onClose: () => void;
}

type Mode = Schemas['CORS']['mode'];

/** Chooses which pages of other origins may use a bucket. */
export function BucketCORS({ backend, bucket, onClose }: BucketCORSProps) {
  const choice = useQuery(bucketCORSQuery(backend, bucket));
  const [busy, setBusy] = useState(false);
  return (
    <Dialog title={`CORS of ${bucket}`} width={620} busy={busy} onClose={onClose}>
      {choice.data && <Choose backend={backend} bucket={bucket} now={choice.data} onBusy={setBusy} onClose={onClose} />}
      {choice.error && <ErrorNotice title="The rules could not be read" error={choice.error} onRetry={() => void choice.refetch()} />}
    </Dialog>
  );
}

function Choose({ backend, bucket, now, onBusy, onClose }: BucketCORSProps & { now: Schemas['CORS']; onBusy: (busy: boolean) => void }) {
  const [mode, setMode] = useState<Mode>(now.mode);
  const [text, setText] = useState(now.rules ? rulesText(now.rules) : exampleRules);
  const [fault, setFault] = useState<string>();
  const queryClient = useQueryClient();
  const save = useAction(async () => {
    const read = mode === 'gateway' ? readRules(text) : { rules: [] };
    if ('fault' in read) {
      setFault(read.fault);
      return;
    }
    onBusy(true);
    try {
      const body = mode === 'gateway' ? { mode, rules: read.rules } : { mode };
      const { requestId } = await send(api.PUT('/api/backends/{backend}/buckets/{bucket}/cors', { params: { path: { backend, bucket } }, body }));
      await queryClient.invalidateQueries(bucketCORSQuery(backend, bucket));
      onClose();
      tellDone(mode === 'off' ? `CORS of ${bucket} is off.` : `CORS of ${bucket} saved.`, requestId);
    } finally {
      onBusy(false);
    }
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setFault(undefined);
    void save.run();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        <Text>Pages of other origins may use the bucket where a rule fits. No rule gives a right: their requests need a signature or an anonymous binding all the same.</Text>
        <Radio.Group label="Rules" value={mode} onChange={(next) => setMode(next)}>
          <Stack gap={4} mt={4}>
            <Radio value="off" label="None: CORS is off" />
            <Radio value="gateway" label="Kept here" />
            <Radio value="backend" label="The bucket’s own, at its backend" />
          </Stack>
        </Radio.Group>
        {mode === 'gateway' && (
          <Textarea
            label="Rules as JSON" description="As aws s3api put-bucket-cors takes them. The first rule that fits counts." autosize minRows={10} maxRows={20}
            classNames={{ input: 'mono' }} spellCheck={false} value={text} onChange={(event) => setText(event.currentTarget.value)} error={fault}
          />
        )}
        {save.error && <ErrorNotice title="The rules were not saved" error={save.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} disabled={save.busy}>Cancel</Button>
          <Button type="submit" loading={save.busy}>Save</Button>
        </Group>
      </Stack>
    </form>
  );
}
