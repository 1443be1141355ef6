import { Container, Stack, Text, Title } from '@mantine/core';
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';

import { ErrorNotice } from '../components/ErrorNotice';

/** In place of a page that failed. */
export function PageFailed({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <Container size="sm" py="xl">
      <ErrorNotice title="This page could not be shown" error={error} onRetry={retry} />
    </Container>
  );
}

/** In place of a page that is not there. */
export function PageMissing() {
  return (
    <Container size="sm" py="xl">
      <Stack gap="xs">
        <title>Not found · Keystile</title>
        <Title order={1}>There is no such page</Title>
        <Text>
          The address may be mistyped, or its thing is gone. <Link to="/admin">Go to the start</Link>
        </Text>
      </Stack>
    </Container>
  );
}
