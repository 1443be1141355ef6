import { Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { createRoute, redirect, useNavigate } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';

import { api, send } from '../../api/client';
import { sessionQuery } from '../../api/session';
import { ErrorNotice } from '../../components/ErrorNotice';
import { useAction } from '../../components/useAction';
import { rootRoute } from '../../shell/routes';
import classes from './SignInPage.module.css';
import { safeReturn } from './return';

export const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  // It is said also where it is undefined: the router keeps what is left out.
  validateSearch: (search: Record<string, unknown>): { to?: string | undefined } => ({ to: safeReturn(search.to) }),
  beforeLoad: async ({ context, search }) => {
    const session = await context.queryClient.query({ ...sessionQuery, staleTime: 'static' });
    if (session) {
      throw redirect({ href: search.to ?? '/admin' });
    }
  },
  component: SignInPage,
});

/** Where a person proves who it is. */
function SignInPage() {
  const { to } = signInRoute.useSearch();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const signIn = useAction(async () => {
    const { data } = await send(api.POST('/api/session', { body: { username, password } }));
    queryClient.clear();
    queryClient.setQueryData(sessionQuery.queryKey, data);
    setPassword('');
    await navigate({ href: to ?? '/admin', replace: true });
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void signIn.run();
  };
  return (
    <main className={classes.page}>
      <title>Sign in · Keystile</title>
      <Paper withBorder p="lg" className={classes.card}>
        <form onSubmit={submit}>
          <Stack gap="sm">
            <Title order={1}>Keystile</Title>
            <Text c="dimmed">{to ? 'Sign in to go on where you were.' : 'Sign in to hand out, watch and revoke S3 keys.'}</Text>
            <TextInput
              label="User name" name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required
              value={username} onChange={(event) => setUsername(event.currentTarget.value)}
            />
            <PasswordInput
              label="Password" name="password" autoComplete="current-password" required
              visibilityToggleButtonProps={{ 'aria-label': 'Show password' }}
              value={password} onChange={(event) => setPassword(event.currentTarget.value)}
            />
            {signIn.error && (signIn.error.code === 'unauthenticated'
              ? <Text role="alert" c="var(--mantine-color-error)">The user name or the password is wrong.</Text>
              : <ErrorNotice title="Signing in did not work" error={signIn.error} />)}
            <Button type="submit" size="sm" loading={signIn.busy}>Sign in</Button>
          </Stack>
        </form>
      </Paper>
    </main>
  );
}
