import { Button, Group, NumberInput, Radio, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';

import { useBuckets } from '../../../api/buckets';
import { api, send } from '../../../api/client';
import { serverQuery } from '../../../api/session';
import { Dialog } from '../../../components/Dialog';
import { tellDone } from '../../../components/done';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { faultOf } from '../../../components/faults';
import { useAction } from '../../../components/useAction';
import { grantOf, meantPrefix, newDraft, prefixExample } from '../../../lib/scope';
import { BucketPicker } from '../credentials/BucketPicker';

interface AddBindingProps {
  onAdded: () => Promise<unknown>;
  onClose: () => void;
}

const fields = ['backend', 'bucket', 'prefix', 'name', 'mode', 'rate_per_second', 'index_document'];

/** Opens a bucket, or a part of it, to everybody. */
export function AddBinding({ onAdded, onClose }: AddBindingProps) {
  const { groups, loading } = useBuckets();
  const endpoint = useQuery(serverQuery).data?.s3_endpoint ?? '';
  const [place, setPlace] = useState('');
  const [prefix, setPrefix] = useState('');
  const [name, setName] = useState('');
  const [mode, setMode] = useState<'read' | 'read-list'>('read');
  const [rate, setRate] = useState(0);
  const [index, setIndex] = useState('');
  const { backend, bucket } = grantOf({ ...newDraft(1), place });
  const add = useAction(async () => {
    const { data, requestId } = await send(api.POST('/api/anonymous-bindings', {
      body: { backend, bucket, mode, prefix: meantPrefix({ prefix, exact: false }), name, rate_per_second: rate, index_document: index },
    }));
    await onAdded();
    onClose();
    tellDone(`Binding ${data.name} added.`, requestId);
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void add.run();
  };
  const fault = (field: string) => faultOf(add.error, field);
  const url = `${endpoint.replace(/\/$/, '')}/${name || bucket || '…'}`;
  return (
    <Dialog title="Add anonymous binding" width={560} busy={add.busy} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <Stack gap="sm">
          <BucketPicker groups={groups} loading={loading} value={place} onChange={setPlace} error={place === '' && add.error ? 'Choose a bucket' : (fault('bucket') ?? fault('backend'))} />
          <TextInput
            label="Prefix" placeholder="whole bucket" description={prefixText(prefix)} classNames={{ input: 'mono' }} spellCheck={false}
            value={prefix} onChange={(event) => setPrefix(event.currentTarget.value)} error={fault('prefix')}
          />
          <TextInput
            label="Public name" placeholder={bucket || 'the bucket’s own name'} description={`Readable at ${url}`} classNames={{ input: 'mono' }} spellCheck={false}
            value={name} onChange={(event) => setName(event.currentTarget.value)} error={fault('name')}
          />
          <Radio.Group label="Anyone may" value={mode} onChange={(next) => setMode(next === 'read' ? 'read' : 'read-list')} error={fault('mode')}>
            <Group mt={4}>
              <Radio value="read" label="Read objects" />
              <Radio value="read-list" label="Read and list objects" />
            </Group>
          </Radio.Group>
          <NumberInput
            label="Requests per second and source address" description="0: the server’s default" min={0} hideControls value={rate}
            onChange={(next) => setRate(typeof next === 'number' ? next : 0)} error={fault('rate_per_second')}
          />
          <TextInput
            label="Index document" placeholder="none" description="What a folder, or the bucket itself, shows: index.html" classNames={{ input: 'mono' }} spellCheck={false}
            value={index} onChange={(event) => setIndex(event.currentTarget.value)} error={fault('index_document')}
          />
          {add.error && <ErrorNotice title="The binding was not added" error={add.error} shown={(field) => fields.includes(field)} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose} disabled={add.busy}>Cancel</Button>
            <Button type="submit" loading={add.busy}>Add anonymous binding</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

function prefixText(prefix: string): string {
  const meant = meantPrefix({ prefix, exact: false });
  if (meant === '') {
    return 'It filters: keys keep their full names';
  }
  const { matches, misses } = prefixExample(meant);
  return `Matches ${matches}, not ${misses}. Keys keep their full names`;
}
