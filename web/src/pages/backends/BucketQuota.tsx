import { Button, Group, Progress, Stack, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';

import { quotasQuery } from '../../api/buckets';
import { api, send } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { useAction } from '../../components/useAction';
import { exactSize } from '../../lib/size';
import { type BucketQuota as Quota, counted, fillOf, readCount, readSize, sizeText } from './quota';

const colours = { ok: 'accent', soft: 'warn', full: 'danger' } as const;

/** How full a bucket is, as a bar. */
export function QuotaBar({ quota }: { quota: Quota | undefined }) {
  if (!quota) {
    return <Text c="dimmed" size="sm">none</Text>;
  }
  const { scan, scanned_at: scannedAt } = quota.usage;
  if (scan ?? !scannedAt) {
    return <Text size="sm">{scan ? `counting: ${scan.objects.toLocaleString('en')} objects${scan.resumed ? ', resumed' : ''}` : quota.usage.scan_error ? `not counted: ${quota.usage.scan_error}` : 'to be counted'}</Text>;
  }
  const { percent, state, text } = fillOf(quota);
  return (
    <Stack gap={2} miw={120}>
      <Text size="sm">{text}{state === 'full' ? ', full' : state === 'soft' ? ', over the soft cap' : ''}</Text>
      {percent !== undefined && <Progress value={percent} color={colours[state]} size="sm" aria-label={`Quota of ${quota.bucket}`} />}
    </Stack>
  );
}

interface BucketQuotaProps {
  backend: string;
  bucket: string;
  onClose: () => void;
}

/** Shows and sets what may be stored in a bucket. */
export function BucketQuota({ backend, bucket, onClose }: BucketQuotaProps) {
  const quotas = useQuery(quotasQuery);
  const [busy, setBusy] = useState(false);
  const now = quotas.data?.find((one) => one.backend === backend && one.bucket === bucket);
  return (
    <Dialog title={`Quota of ${bucket}`} width={520} busy={busy} onClose={onClose}>
      {quotas.data && <Choose backend={backend} bucket={bucket} now={now} onBusy={setBusy} onClose={onClose} />}
      {quotas.error && <ErrorNotice title="The quota could not be read" error={quotas.error} onRetry={() => void quotas.refetch()} />}
    </Dialog>
  );
}

type Caps = Record<'soft' | 'hard' | 'softObjects' | 'hardObjects', string>;

const labels: Record<keyof Caps, string> = { soft: 'Soft cap in bytes', hard: 'Hard cap in bytes', softObjects: 'Soft cap in objects', hardObjects: 'Hard cap in objects' };

function Choose({ backend, bucket, now, onBusy, onClose }: BucketQuotaProps & { now: Quota | undefined; onBusy: (busy: boolean) => void }) {
  const [caps, setCaps] = useState<Caps>({
    soft: sizeText(now?.soft_bytes), hard: sizeText(now?.hard_bytes),
    softObjects: now?.soft_objects?.toString() ?? '', hardObjects: now?.hard_objects?.toString() ?? '',
  });
  const [faults, setFaults] = useState<Partial<Caps>>({});
  const queryClient = useQueryClient();
  const path = { backend, bucket };
  const done = async (text: string, requestId: string) => {
    await queryClient.invalidateQueries(quotasQuery);
    onClose();
    tellDone(text, requestId);
  };
  const act = (work: () => Promise<void>) => async () => {
    onBusy(true);
    try {
      await work();
    } finally {
      onBusy(false);
    }
  };
  const save = useAction(act(async () => {
    const soft = readSize(caps.soft), hard = readSize(caps.hard), softObjects = readCount(caps.softObjects), hardObjects = readCount(caps.hardObjects);
    const wrong = Object.entries({ soft, hard, softObjects, hardObjects }).flatMap(([name, read]) => ('fault' in read ? [[name, read.fault]] : []));
    setFaults(Object.fromEntries(wrong) as Partial<Caps>);
    if ('fault' in soft || 'fault' in hard || 'fault' in softObjects || 'fault' in hardObjects) {
      return;
    }
    const body = {
      ...(soft.bytes !== undefined && { soft_bytes: soft.bytes }), ...(hard.bytes !== undefined && { hard_bytes: hard.bytes }),
      ...(softObjects.count !== undefined && { soft_objects: softObjects.count }), ...(hardObjects.count !== undefined && { hard_objects: hardObjects.count }),
    };
    const { requestId } = await send(api.PUT('/api/backends/{backend}/buckets/{bucket}/quota', { params: { path }, body }));
    await done(`Quota of ${bucket} saved.`, requestId);
  }));
  const scan = useAction(act(async () => {
    const { requestId } = await send(api.POST('/api/backends/{backend}/buckets/{bucket}/quota/scan', { params: { path } }));
    await done(`${bucket} is being counted.`, requestId);
  }));
  const clear = useAction(act(async () => {
    const { requestId } = await send(api.DELETE('/api/backends/{backend}/buckets/{bucket}/quota', { params: { path } }));
    await done(`${bucket} has no quota.`, requestId);
  }));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void save.run();
  };
  const failed = save.error ?? scan.error ?? clear.error;
  const busy = save.busy || scan.busy || clear.busy;
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {now?.usage.scanned_at && <Text>Stored: {exactSize(counted(now).bytes)} in {counted(now).objects.toLocaleString('en')} objects.</Text>}
        {!now && <Text>The bucket is counted first. Until that is done, writes to it are refused if a cap is hard. To keep a large bucket open, count it before it gets one.</Text>}
        {(Object.keys(labels) as (keyof Caps)[]).map((name) => (
          <TextInput
            key={name} label={labels[name]} placeholder={name.endsWith('Objects') ? '100000' : '10 GiB'} autoComplete="off" spellCheck={false}
            value={caps[name]} error={faults[name]} onChange={(event) => setCaps({ ...caps, [name]: event.currentTarget.value })}
          />
        ))}
        {failed && <ErrorNotice title="The quota was not changed" error={failed} />}
        <Group justify="space-between" gap="xs">
          <Group gap="xs">
            <Button variant="default" onClick={() => void scan.run()} disabled={busy}>Count now</Button>
            {now && <Button variant="default" onClick={() => void clear.run()} disabled={busy}>Remove quota</Button>}
          </Group>
          <Group gap="xs">
            <Button variant="default" onClick={onClose} disabled={busy}>Cancel</Button>
            <Button type="submit" loading={save.busy} disabled={scan.busy || clear.busy}>Save</Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}
