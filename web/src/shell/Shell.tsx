import { AppShell, Burger, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';

import { serverQuery } from '../api/session';
import { CopyButton } from '../components/CopyButton';
import { AccountMenu } from './AccountMenu';
import { JournalAlarm } from './JournalAlarm';
import { Navigation } from './Navigation';
import { QuotaAlerts } from './QuotaAlerts';
import { SearchField } from './SearchField';
import classes from './Shell.module.css';
import { ShortcutHelp } from './ShortcutHelp';
import { ThemeMenu } from './ThemeMenu';

/** The frame of every page behind the sign-in. */
export function Shell() {
  const [opened, menu] = useDisclosure(false);
  return (
    <AppShell header={{ height: 48 }} navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: !opened } }} padding="md">
      <a href="#main" className={classes.skip}>Skip to the content</a>
      <AppShell.Header className={classes.header}>
        <Burger opened={opened} onClick={menu.toggle} hiddenFrom="sm" size="sm" aria-label={opened ? 'Close navigation' : 'Open navigation'} />
        <Link to="/admin" className={classes.brand} onClick={menu.close}>Keystile</Link>
        <SearchField />
        <Group gap="xs" wrap="nowrap" ml="auto">
          <Endpoint className={classes.endpoint} />
          <ThemeMenu />
          <AccountMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar}>
        <Navigation onNavigate={menu.close} />
        <Endpoint className={classes.endpointBelow} />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main ?? ''}>
        <JournalAlarm />
        <QuotaAlerts />
        <Outlet />
      </AppShell.Main>
      <ShortcutHelp />
      <Notifications position="bottom-right" autoClose={8000} />
    </AppShell>
  );
}

function Endpoint({ className }: { className: string | undefined }) {
  const server = useQuery(serverQuery).data;
  return (
    server && (
      <div className={className}>
        <Text span c="dimmed" size="xs">S3</Text>
        <code>{server.s3_endpoint}</code>
        <CopyButton text={server.s3_endpoint} what="S3 endpoint" />
      </div>
    )
  );
}
