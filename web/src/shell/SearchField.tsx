import { Autocomplete, Kbd } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type SubmitEvent, useRef, useState } from 'react';

import { accountsQuery } from '../api/accounts';
import { useBuckets } from '../api/buckets';
import { useIsAdmin } from '../api/session';
import { IconSearch } from '../components/icons';
import { type Destination, destination, type Names, offered } from './goto';
import classes from './SearchField.module.css';

/** Takes an access key id, a bucket, an account or a request id and goes there. */
export function SearchField() {
  const [text, setText] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const admin = useIsAdmin();
  const names = useNames(admin && text.trim() !== '');
  const go = useGo();
  const focus = () => field.current?.focus();
  useHotkeys([['/', focus]]);
  useHotkeys([['mod+K', focus]], [], true);

  const submit = (typed: string) => {
    const place = destination(typed, names);
    if (place) {
      setText('');
      field.current?.blur();
      go(place);
    }
  };
  const { buckets, accounts } = offered(text, names);
  const what = admin ? 'access key, bucket, account or request' : 'access key';
  const hint = admin ? 'Key, bucket, account or request' : 'Access key';
  return (
    <form onSubmit={(event: SubmitEvent) => { event.preventDefault(); submit(text); }} className={classes.form} role="search">
      <Autocomplete
        ref={field} size="xs" aria-label={`Go to an ${what}`} placeholder={hint} leftSection={<IconSearch />}
        rightSection={<Kbd size="xs" visibleFrom="sm">/</Kbd>}
        value={text} onChange={setText} onOptionSubmit={submit} onKeyDown={(event) => event.key === 'Escape' && field.current?.blur()}
        data={[{ group: 'Buckets', items: [...buckets] }, { group: 'Accounts', items: [...accounts] }].filter(({ items }) => items.length > 0)}
        filter={({ options }) => options} // they are chosen already
        autoComplete="off" spellCheck={false}
      />
    </form>
  );
}

/** What an administrator can go to by name; read when somebody begins to type. */
function useNames(enabled: boolean): Names {
  const { groups } = useBuckets(enabled);
  const accounts = useQuery({ ...accountsQuery, enabled }).data ?? [];
  return {
    buckets: groups.flatMap(({ backend, buckets }) => buckets.map((bucket) => `${backend}/${bucket}`)),
    accounts: accounts.map(({ name }) => name),
  };
}

function useGo(): (place: Destination) => void {
  const navigate = useNavigate();
  const admin = useIsAdmin();
  return (place) => {
    switch (place.kind) {
      case 'credential':
        return void navigate({ to: '/admin/s3-proxy/credentials/$accessKeyId', params: { accessKeyId: place.accessKeyId } });
      case 'bucket':
        return void navigate({ to: '/admin/backends/$backend', params: { backend: place.backend }, search: { tab: 'buckets', q: place.bucket } });
      case 'account':
        return void navigate({ to: '/admin/accounts/$account', params: { account: place.name } });
      case 'request':
        return void (admin
          ? navigate({ to: '/admin/audit', search: { request_id: place.requestId } })
          : navigate({ to: '/admin/s3-proxy', search: { q: place.requestId } }));
      case 'credentials':
        return void navigate({ to: '/admin/s3-proxy', search: { q: place.q } });
    }
  };
}
