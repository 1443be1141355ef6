import { Link, useRouter } from '@tanstack/react-router';

import { useAccount } from '../api/session';
import classes from './Navigation.module.css';
import type { NavEntry } from './routes';

interface NavigationProps {
  onNavigate: () => void;
}

/** The pages that the account may open, in their order. */
export function Navigation({ onNavigate }: NavigationProps) {
  const router = useRouter();
  const { role } = useAccount();
  const entries = Object.values(router.routesById)
    .map((route) => ({ path: route.fullPath, nav: (route.options as { staticData?: { nav?: NavEntry } }).staticData?.nav }))
    .filter((entry): entry is { path: typeof entry.path; nav: NavEntry } => entry.nav !== undefined)
    .filter(({ nav }) => !nav.roles || nav.roles.includes(role))
    .sort((a, b) => a.nav.order - b.nav.order);
  return (
    <nav aria-label="Pages">
      <ul className={classes.list}>
        {entries.map(({ path, nav }) => (
          <li key={path}>
            <Link to={path as string} activeOptions={{ exact: path.endsWith('/') }} className={classes.link} onClick={onNavigate}>
              <nav.icon />
              {nav.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
