import { Kbd, TextInput } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { type SubmitEvent, useRef, useState } from 'react';

import { useIsAdmin } from '../api/session';
import { IconSearch } from '../components/icons';
import { destination } from './goto';
import classes from './SearchField.module.css';

/** Takes an access key id or a request id and goes there. */
export function SearchField() {
  const [text, setText] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const navigate = useNavigate();
  const admin = useIsAdmin();
  const focus = () => field.current?.focus();
  useHotkeys([['/', focus]]);
  useHotkeys([['mod+K', focus]], [], true);

  const go = (event: SubmitEvent) => {
    event.preventDefault();
    const place = destination(text);
    if (!place) {
      return;
    }
    setText('');
    field.current?.blur();
    if (place.kind === 'credential') {
      void navigate({ to: '/admin/s3-proxy/credentials/$accessKeyId', params: { accessKeyId: place.accessKeyId } });
    } else if (place.kind === 'request' && admin) {
      void navigate({ to: '/admin/audit', search: { request_id: place.requestId } });
    } else {
      void navigate({ to: '/admin/s3-proxy', search: { q: place.kind === 'request' ? place.requestId : place.q } });
    }
  };
  return (
    <form onSubmit={go} className={classes.form} role="search">
      <TextInput
        ref={field}
        size="xs"
        aria-label="Go to an access key id or request id"
        placeholder="Access key or request id"
        leftSection={<IconSearch />}
        rightSection={<Kbd size="xs" visibleFrom="sm">/</Kbd>}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && field.current?.blur()}
        autoComplete="off"
        spellCheck={false}
      />
    </form>
  );
}
