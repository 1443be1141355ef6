import {
  Button,
  createTheme,
  type CSSVariablesResolver,
  Drawer,
  Menu,
  Modal,
  Popover,
  Select,
  TextInput,
  Tooltip,
} from '@mantine/core';

/** One accent; "danger" is for what cannot be undone. All pairs with white reach AA. */
export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: { light: 7, dark: 6 },
  colors: {
    accent: ['#eef4fb', '#dae7f6', '#b3cdec', '#89b2e2', '#659ad9', '#4a88d0', '#3873bd', '#2c62a6', '#23528d', '#1a4173'],
    danger: ['#fdf1f0', '#fadfdc', '#f3bcb7', '#ea948c', '#e26f65', '#d84f43', '#c9372c', '#b42318', '#951b12', '#74140d'],
  },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.875rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  headings: { fontWeight: '600', sizes: { h1: { fontSize: '1.25rem' }, h2: { fontSize: '1rem' }, h3: { fontSize: '0.875rem' } } },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: Button.extend({ defaultProps: { size: 'xs' }, styles: { label: { fontSize: '0.8125rem' } } }),
    Menu: Menu.extend({ defaultProps: { transitionProps: { duration: 0 } } }),
    Popover: Popover.extend({ defaultProps: { transitionProps: { duration: 0 } } }),
    TextInput: TextInput.extend({ defaultProps: { size: 'sm' } }),
    Select: Select.extend({ defaultProps: { size: 'sm' } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 250, multiline: true, maw: 360, events: { hover: true, focus: true, touch: true } } }),
    Modal: Modal.extend({ styles: { title: { fontSize: '1rem', fontWeight: 600 } }, defaultProps: { transitionProps: { duration: 0 }, closeButtonProps: { 'aria-label': 'Close' } } }),
    Drawer: Drawer.extend({ defaultProps: { transitionProps: { duration: 0 }, closeButtonProps: { 'aria-label': 'Close' } } }),
  },
});

/** The colours of words that the library's own are too pale for. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#59616a',
    '--mantine-color-placeholder': '#6b737c',
    '--mantine-color-error': '#b42318',
    '--ks-good': '#1b7038',
    '--ks-warn': '#835600',
    '--ks-bad': '#b42318',
    '--ks-quiet': '#59616a',
    '--ks-link': '#23528d',
    '--ks-line': '#e1e5ea',
    '--ks-hover': '#f4f6f9',
    '--ks-selected': '#eaf1f9',
    '--ks-sunken': '#f7f8fa',
  },
  dark: {
    '--mantine-color-dimmed': '#a3a9b1',
    '--mantine-color-placeholder': '#8d949c',
    '--mantine-color-error': '#f3877b',
    '--ks-good': '#6fcb90',
    '--ks-warn': '#e0b454',
    '--ks-bad': '#f3877b',
    '--ks-quiet': '#a3a9b1',
    '--ks-link': '#89b2e2',
    '--ks-line': '#3a3d42',
    '--ks-hover': '#2c2e32',
    '--ks-selected': '#26344a',
    '--ks-sunken': '#1e1f22',
  },
});
