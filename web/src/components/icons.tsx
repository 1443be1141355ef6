import type { ReactNode } from 'react';

function icon(name: string, shape: ReactNode) {
  const Icon = () => (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" aria-hidden focusable="false">
      {shape}
    </svg>
  );
  Icon.displayName = name;
  return Icon;
}

// Line icons on a 16 px grid. They only stand beside words or in labelled buttons.
export const IconCopy = icon('IconCopy', <><rect x="5.5" y="5.5" width="8" height="8" rx="1.5" /><path d="M3.5 10.5h-.2a.8.8 0 0 1-.8-.8V3.3c0-.4.4-.8.8-.8h6.4c.4 0 .8.4.8.8v.2" /></>);
export const IconCheck = icon('IconCheck', <path d="m3 8.5 3.2 3.2L13 5" />);
export const IconKey = icon('IconKey', <><circle cx="5" cy="8" r="2.6" /><path d="M7.6 8H14M11.6 8v2.4" /></>);
export const IconTrail = icon('IconTrail', <path d="M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01" />);
export const IconBackend = icon('IconBackend', <><rect x="2.5" y="3" width="11" height="4" rx="1" /><rect x="2.5" y="9" width="11" height="4" rx="1" /><path d="M5 5h.01M5 11h.01" /></>);
export const IconUsage = icon('IconUsage', <path d="M2.500 12.500 6 8l2.500 2.500 5-6M10.500 4.500h3v3" />);
export const IconWebhook = icon('IconWebhook', <><path d="M2.5 8h6M6 5.500 8.500 8 6 10.500" /><path d="M9.500 3.500h3c.6 0 1 .4 1 1v7c0 .6-.4 1-1 1h-3" /></>);
export const IconAccounts = icon('IconAccounts', <><circle cx="6" cy="5.5" r="2.3" /><path d="M1.8 13c.3-2.3 2-3.8 4.2-3.8s3.9 1.5 4.2 3.8M10.5 3.400a2.3 2.3 0 0 1 0 4.200M12 9.600c1.3.5 2 1.7 2.2 3.4" /></>);
export const IconProject = icon('IconProject', <path d="M2.5 4.500c0-.6.4-1 1-1h3l1.500 1.800h4.500c.6 0 1 .4 1 1v5.700c0 .6-.4 1-1 1h-9c-.6 0-1-.4-1-1v-7.500Z" />);
export const IconIdentity = icon('IconIdentity', <><rect x="2" y="3.5" width="12" height="9" rx="1" /><circle cx="5.5" cy="7" r="1.4" /><path d="M3.6 10.600c.3-1.100 1-1.600 1.900-1.600s1.600.5 1.900 1.600M9.500 6.500h2.500M9.500 9.500h2.500" /></>);
export const IconOverview = icon('IconOverview', <path d="M2.5 13.500V2.500M2.5 13.500h11M5.5 11V8M8.5 11V5M11.5 11V7" />);
export const IconPerson = icon('IconPerson', <><circle cx="8" cy="5.5" r="2.5" /><path d="M3 13.500c.4-2.6 2.4-4 5-4s4.6 1.4 5 4" /></>);
export const IconSearch = icon('IconSearch', <><circle cx="7" cy="7" r="4" /><path d="m10 10 3.5 3.5" /></>);
export const IconSun = icon('IconSun', <><circle cx="8" cy="8" r="2.7" /><path d="M8 1.800v1.400M8 12.800v1.400M1.8 8h1.400M12.8 8h1.400M3.6 3.600l1 1M11.4 11.400l1 1M12.4 3.600l-1 1M4.6 11.400l-1 1" /></>);
export const IconMoon = icon('IconMoon', <path d="M13 9.500A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.500Z" />);
export const IconAuto = icon('IconAuto', <><circle cx="8" cy="8" r="5.5" /><path d="M8 2.500v11M8 5h3.800M8 8h5.400M8 11h3.8" /></>);
export const IconPlus = icon('IconPlus', <path d="M8 3.500v9M3.5 8h9" />);
export const IconClose = icon('IconClose', <path d="m4 4 8 8M12 4l-8 8" />);
export const IconDown = icon('IconDown', <path d="m4.5 6.5 3.5 3.5 3.5-3.5" />);
export const IconDownload = icon('IconDownload', <path d="M8 2.500v8M4.5 7.5 8 11l3.5-3.500M2.5 13.500h11" />);
export const IconWarning = icon('IconWarning', <path d="M8 2.5 1.8 13.200h12.400L8 2.500ZM8 6.500v3M8 11.400h.01" />);
export const IconMore = icon('IconMore', <path d="M3.5 8h.01M8 8h.01M12.5 8h.01" />);
export const IconClock = icon('IconClock', <><circle cx="8" cy="8" r="5.5" /><path d="M8 5v3l2 1.5" /></>);
export const IconRefresh = icon('IconRefresh', <path d="M13.2 8a5.2 5.2 0 1 1-1.500-3.700M13.300 2.500v2.700h-2.700" />);
