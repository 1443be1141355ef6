import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { IconProject } from '../../components/icons';
import { searchOf } from '../../lib/search';
import { projectsRoot } from '../../shell/routes';

// Without a path of its own: it is the shell's page at /projects, and stays
// behind the drawer.
const listRoute = createRoute({
  getParentRoute: () => projectsRoot,
  id: 'list',
  staticData: { nav: { label: 'Projects', icon: IconProject, order: 55 } },
  validateSearch: searchOf('q'),
  component: lazyRouteComponent(() => import('./ProjectsPage'), 'ProjectsPage'),
});

const indexRoute = createRoute({ getParentRoute: () => listRoute, path: '/' });

const projectRoute = createRoute({
  getParentRoute: () => listRoute,
  path: '$project',
  component: lazyRouteComponent(() => import('./ProjectDrawer'), 'ProjectDrawer'),
});

/** Projects, each with a drawer of its own. */
export const projectsRoutes = projectsRoot.addChildren([listRoute.addChildren([indexRoute, projectRoute])]);
