/** A count in full, as it stands in tables: "1,500". */
export function count(n: number): string {
  return n.toLocaleString('en');
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** A count in brief, as it stands at an axis: "1.5K". */
export function brief(n: number): string {
  return compact.format(n);
}

/**
 * A share of 0 to 1 in percent. It never rounds to all or nothing: an outage of
 * a minute is not 100 %.
 */
export function percent(share: number): string {
  if (share <= 0 || share >= 1) {
    return share <= 0 ? '0 %' : '100 %';
  }
  if (share < 0.0001) {
    return 'under 0.01 %';
  }
  const hundredths = share > 0.5 ? Math.floor(share * 10_000) : Math.ceil(share * 10_000);
  return `${(hundredths / 100).toFixed(share > 0.99 || share < 0.01 ? 2 : 1)} %`;
}
