import { Button, Group, Radio, Stack, Text } from '@mantine/core';
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import { rgwKey, type RGWUser } from '../../api/rgw';
import { Dialog } from '../../components/Dialog';
import { tellDone } from '../../components/done';
import { ErrorNotice } from '../../components/ErrorNotice';
import { useAction } from '../../components/useAction';
import { accessChoices } from './words';

const aclQuery = (user: string, bucket: string) => queryOptions({
  queryKey: [...rgwKey, user, 'buckets', bucket, 'acl'],
  queryFn: async ({ signal }) => (await send(api.GET('/rgw/users/{user_id}/buckets/{bucket}/acl', { params: { path: { user_id: user, bucket } }, signal }))).data.acl,
});

interface BucketAccessProps {
  user: RGWUser;
  bucket: string;
  onClose: () => void;
}

/** Chooses the canned ACL of a bucket. */
export function BucketAccess({ user, bucket, onClose }: BucketAccessProps) {
  const acl = useQuery(aclQuery(user.id, bucket));
  return (
    <Dialog title={`Access to ${bucket}`} onClose={onClose}>
      {acl.data !== undefined && <Choose user={user} bucket={bucket} now={acl.data} onClose={onClose} />}
      {acl.error && <ErrorNotice title="The ACL could not be read" error={acl.error} onRetry={() => void acl.refetch()} />}
    </Dialog>
  );
}

function Choose({ user, bucket, now, onClose }: BucketAccessProps & { now: string }) {
  const [acl, setACL] = useState(now);
  const queryClient = useQueryClient();
  const save = useAction(async () => {
    const { requestId } = await send(api.PUT('/rgw/users/{user_id}/buckets/{bucket}/acl', { params: { path: { user_id: user.id, bucket } }, body: { acl } }));
    await queryClient.invalidateQueries(aclQuery(user.id, bucket));
    onClose();
    tellDone(`Bucket ${bucket} is ${acl}.`, requestId);
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void save.run();
  };
  const offered = accessChoices(user);
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {!offered.some(({ value }) => value === now) && <Text>It has an ACL of its own; choosing one replaces it.</Text>}
        <Radio.Group label="Who may use it" value={acl} onChange={setACL}>
          <Stack gap={6} mt={4}>{offered.map(({ value, means, but }) => <Radio key={value} size="sm" value={value} label={means} description={<><code>{value}</code>{but && <>. {but}</>}</>} />)}</Stack>
        </Radio.Group>
        {save.error && <ErrorNotice title="The ACL was not set" error={save.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} disabled={save.busy}>Cancel</Button>
          <Button type="submit" loading={save.busy} disabled={acl === now}>Set ACL</Button>
        </Group>
      </Stack>
    </form>
  );
}
